#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>

#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

/// Makes a report once, then makes it again with bad data.
class BadDataTest : public ResultFolderTest {
 protected:
  BadDataTest() : results_(root_ / "results") {
    SimulatedCampaign campaign({"epoll-lt", "poll"}, {SimulatedCampaign::cell_of(100)});
    campaign.measure([](const Cell&, const std::string&) { return 1.2; });
    campaign.write(results_);
    EXPECT_EQ(run_muxlab({"report", results_}).exit_code, 0);
    records_ = read_whole(results_ / "records.csv");
  }

  /// Returns the error: one line with the reason. Expects exit code 2 and unchanged older files.
  [[nodiscard]] std::string refusal() const {
    const auto before = made_in(results_);
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 2) << said.errors;
    EXPECT_EQ(said.output, "");
    EXPECT_EQ(made_in(results_), before);
    return said.errors;
  }
  void write_records(const std::string& text) const { write_whole(results_ / "records.csv", text); }

  Path results_;
  std::string records_;
};

TEST_F(BadDataTest, RecordsThatAreCutOff) {
  const std::size_t header = records_.find('\n') + 1;
  for (const std::size_t size :
       {records_.size() - 1, records_.size() - 20, header + 5, header - 5}) {
    write_records(records_.substr(0, size));
    EXPECT_THAT(refusal(), HasSubstr("records.csv line")) << size;
  }
  write_records("");
  EXPECT_THAT(refusal(), HasSubstr("the file is empty"));
}

TEST_F(BadDataTest, RecordsThatAreNoNumbers) {
  std::string text = records_;
  text.replace(text.find(",apart,0,") + 7, 1, "x");
  write_records(text);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("rig"), HasSubstr("\"x\"")));
}

TEST_F(BadDataTest, RecordsOfAnotherSchema) {
  std::string text = records_;
  text.replace(text.find("elapsed_ns"), 10, "elapsed_us");
  write_records(text);
  EXPECT_THAT(refusal(), HasSubstr("line 1 has other columns"));
}

TEST_F(BadDataTest, FilesThatAreMissing) {
  std::filesystem::rename(results_ / "records.csv", root_ / "elsewhere");
  EXPECT_THAT(refusal(), HasSubstr("records.csv"));
  std::filesystem::rename(root_ / "elsewhere", results_ / "records.csv");
  std::filesystem::remove(results_ / "machine.json");
  EXPECT_THAT(refusal(), HasSubstr("machine.json"));
}

/// The error is one line with the file, the place in it and the fix, without a library's words.
TEST_F(BadDataTest, MachineRecordsThatNoProgramOfOursWrote) {
  const Json record = Json::parse(read_whole(results_ / "machine.json"));
  const auto with = [&](const char* pointer, const Json& value) {
    Json other = record;
    other[Json::json_pointer(pointer)] = value;
    return other.dump();
  };
  const auto nested = [](std::size_t levels, const char* open, const char* close) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < levels; ++i) text += close;
    return text;
  };
  Json without_seed = record;
  without_seed["plan"].erase("seed");
  Json without_machine = record;
  without_machine.erase("machine");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1 is not JSON"},
      {"{\n\"a\": }", "line 2 is not JSON"},
      {"[]", "an array of 0: expected an object"},
      {"null", "is null: expected an object"},
      {std::string("{\"a\"\0: 1}", 9), "line 1 is not JSON"},
      {"\xff\xfe", "line 1 is not JSON"},
      {"{\"a\": 1e999}", "line 1 has a number that is too large, 1e999"},
      {nested(100'000, "[", "]"), "nests values more than 32 deep"},
      {nested(100'000, "{\"a\":", "}"), "nests values more than 32 deep"},
      {"{\"plan\": " + nested(100'000, "[", "]"), "nests values more than 32 deep"},
      {without_seed.dump(), "/plan/seed is missing"},
      {without_machine.dump(), "/machine is missing"},
      {with("/machine", 3), "/machine is 3: expected an object"},
      {with("/schema_version", "x"), "schema_version"},
      {with("/schema_version", 4), "schema_version 4, and this version of muxlab reads 3"},
      {with("/run_status", "done"), "/run_status is \"done\": expected running"},
      {with("/started_utc", Json::array()), "/started_utc is an array"},
      {with("/command_line/0", 1), "/command_line/0 is 1: expected a text"},
      {with("/plan/experiment", 3), "/plan/experiment is 3"},
      {with("/plan/experiment", "a b"), "/plan/experiment is \"a b\""},
      {with("/plan/seed", -1), "/plan/seed is -1: expected a whole number"},
      {with("/plan/round_trips", 1e300), "/plan/round_trips is 1e+300"},
      {with("/plan/same_within", 7), "/plan/same_within is 7: expected a number from 0 to 1"},
      {with("/plan/loads/0/seconds", 1e300), "/plan/loads/0/seconds is 1e+300"},
      {with("/plan/loads/0/connections", UINT64_MAX), "/plan/loads/0/connections is 1844"},
      {with("/plan/loads/0/threading", "< touch x"), "/plan/loads/0/threading is \"< touch x\""},
      {with("/plan/loads/0/engine", std::string("a\0b", 3)), "/plan/loads/0/engine"},
      {with("/plan/loads/0/transport", "udp"), "/plan/loads/0/transport is \"udp\""},
      {with("/plan/loads/0/placement", true), "/plan/loads/0/placement is true"},
      {with("/plan/loads/0/unavailable", Json::array()), "/plan/loads/0/unavailable"},
      {with("/plan/loads/0/processors/server", Json::array({-1})),
       "/plan/loads/0/processors/server/0 is -1"},
      {with("/plan/allowed_processors", Json::array({1'000'000})),
       "/plan/allowed_processors/0 is 1000000"},
      {with("/plan/contenders", Json::object()), "/plan/contenders is an object"},
      {with("/plan/contenders/1/backend", "a\nb"), "/plan/contenders/1/backend is \"a\\nb\""},
      {with("/plan/contenders/1/name", "epoll-lt"), "a name that no other contender has"}};
  for (const auto& [text, reason] : cases) {
    write_whole(results_ / "machine.json", text);
    const std::string said = refusal();
    EXPECT_THAT(said, AllOf(HasSubstr("machine.json"), HasSubstr(reason), Not(HasSubstr("json."))));
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
  }
}

TEST_F(BadDataTest, RecordsThatNoProgramOfOursWrote) {
  const std::size_t row = records_.find('\n') + 1;
  const std::size_t second = records_.find('\n', row) + 1;
  const std::string commas(1 << 20, ',');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {records_.substr(0, second) + records_.substr(row),
       "line 3 is wrong: rig 0 has epoll-lt twice"},
      {std::string(records_).replace(row, 1, std::string(1, '\0')), "line 2 has a NUL byte"},
      {records_.substr(0, row) + commas + "\n", "line 2 has more than"},
      {commas, "line 1 has more than"},
      {records_.substr(0, row) + "\"" + commas, "line 2 has a quote that is never closed"},
      {records_ + "\n", "fields instead of"},
      {std::string(100'000, '\n'), "line 1 has other columns"}};
  for (const auto& [text, reason] : cases) {
    write_records(text);
    const std::string said = refusal();
    EXPECT_THAT(said, AllOf(HasSubstr("records.csv "), HasSubstr(reason)));
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
    EXPECT_LT(said.size(), 400U);
  }
  std::string crlf;
  for (const char c : records_) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  write_records(crlf);
  EXPECT_EQ(run_muxlab({"report", results_}).exit_code, 0);
}

/// They are not read for ever, and not into memory.
TEST_F(BadDataTest, ThingsThatAreNoFiles) {
  for (const char* const name : {"records.csv", "machine.json"}) {
    const Path file = results_ / name;
    const std::string text = read_whole(file);
    std::filesystem::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(name), HasSubstr("it is a FIFO")));
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(name), HasSubstr("it is a folder")));
    std::filesystem::remove(file);
    std::filesystem::create_symlink("/dev/zero", file);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(name), HasSubstr("it is a device")));
    std::filesystem::remove(file);
    write_whole(file, text);
    std::filesystem::resize_file(file, std::uintmax_t{1} << 30);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(name), HasSubstr("1073741824 bytes")));
    std::filesystem::remove(file);
    write_whole(file, text);
  }
  EXPECT_EQ(run_muxlab({"report", results_}).exit_code, 0);
}

/// Anything in the place of an output file stays.
TEST_F(BadDataTest, ThingsInTheWay) {
  std::filesystem::remove(results_ / "report.md");
  std::filesystem::create_symlink("machine.json", results_ / "report.md");
  const std::string machine = read_whole(results_ / "machine.json");
  const Said said = run_muxlab({"report", results_});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.errors, AllOf(HasSubstr("report.md"), HasSubstr("it is a symbolic link")));
  EXPECT_EQ(read_whole(results_ / "machine.json"), machine);
  std::filesystem::remove(results_ / "report.md");
  std::filesystem::remove_all(results_ / "plots");
  write_whole(results_ / "plots", "a file");
  const Said plots = run_muxlab({"report", results_});
  EXPECT_EQ(plots.exit_code, 4);
  EXPECT_THAT(plots.errors, HasSubstr("missing"));
  EXPECT_EQ(read_whole(results_ / "plots"), "a file");
}

/// In a file system of the test's own.
TEST_F(BadDataTest, ADiskThatIsFull) {
  const std::string unshare = "--user --map-root-user --mount";
  if (!may_unshare(unshare)) GTEST_SKIP() << "this machine does not permit: unshare " << unshare;
  std::filesystem::create_directory(root_ / "disk");
  const Said said = run_command(
      {"bash", "-c",
       "unshare " + unshare +
           " bash -c 'mount -t tmpfs -o size=4m none disk && cp -r results disk && "
           "{ head -c 8m /dev/zero 2>/dev/null >disk/fill; \"$0\" report disk/results; code=$?; "
           "rm disk/fill; cp -r disk/results after; exit $code; }' '" MUXLAB_BINARY "'"},
      root_);
  EXPECT_EQ(said.exit_code, 3) << said.output;
  EXPECT_THAT(said.errors, AllOf(HasSubstr("No space left on device"),
                                 HasSubstr("disk/results/comparisons.csv")));
  std::filesystem::rename(results_, root_ / "before");
  const auto before = made_in(root_ / "before");
  ASSERT_EQ(before.size(), 8U);
  for (const auto& [file, bytes] : before) {
    EXPECT_EQ(read_whole(root_ / "after" / file.lexically_relative(root_ / "before")), bytes);
  }
}

}  // namespace
}  // namespace muxlab
