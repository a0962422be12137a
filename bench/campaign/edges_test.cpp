#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

/// Runs campaigns in unusual surroundings.
class CampaignEdgesTest : public ResultFolderTest {
 protected:
  CampaignEdgesTest() : out_(root_ / "out") {}

  [[nodiscard]] std::vector<std::string> bench(const std::string& load_time,
                                               const std::string& program = MUXLAB_BINARY) const {
    return {program, "bench",   "--backends", "poll", "--connections", "5",
            "--for", load_time, "--seed",     "7",    "--out",         out_};
  }
  [[nodiscard]] Json machine() const { return Json::parse(read_whole(out_ / "machine.json")); }

  /// Waits for a condition that another process brings about; fails when that ends before.
  template <typename Condition>
  static void await(Process& process, Condition condition) {
    while (!condition() && !process.exit_code()) {
      wait_for(process, -1, Clock::now() + std::chrono::milliseconds(10),
               [&] { return process.exit_code().has_value(); });
    }
    ASSERT_TRUE(condition()) << process.last_words();
  }
  static int end_of(Process& process) {
    wait_for(process, -1, Clock::now() + std::chrono::seconds(60),
             [&] { return process.exit_code().has_value(); });
    return process.exit_code().value_or(-1);
  }

  /// A folder with a program `gnuplot`, which runs `script`; to go before PATH.
  [[nodiscard]] std::string path_with_gnuplot(const std::string& script) const {
    const Path folder = root_ / "bin";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "gnuplot") << "#!/bin/sh\n" << script << "\n";
    ::chmod((folder / "gnuplot").c_str(), 0755);
    return "PATH=" + folder.string() + ":/usr/local/bin:/usr/bin:/bin";
  }

  Path out_;
};

TEST_F(CampaignEdgesTest, AFolderHasOneWriter) {
  Process first(Command{bench("60s"), {}, {}});
  await(first, [&] { return std::filesystem::exists(out_); });
  for (int tries = 0; tries < 2; ++tries) {
    const Said second = run_muxlab({"bench", "--resume", out_});
    EXPECT_EQ(second.exit_code, 3);
    EXPECT_THAT(second.errors, HasSubstr(fmt::format("process {} ", first.pid())));
  }
  const Said again = run_command(bench("1s"));
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, HasSubstr("is not empty"));
  EXPECT_EQ(machine()["run_status"], "running") << "they left it alone";
  first.send(SIGTERM);
  EXPECT_EQ(end_of(first), 143);
  EXPECT_EQ(machine()["run_status"], "interrupted");
  EXPECT_FALSE(std::filesystem::exists(out_ / ".muxlab-lock"));
}

/// Whenever it is killed, there is no folder or one that it can go on with.
TEST_F(CampaignEdgesTest, AFolderIsWholeOrAbsent) {
  for (const int delay_ms : {0, 5, 10, 20, 40, 80}) {
    std::filesystem::remove_all(out_);
    {
      Process killed(Command{bench("60s"), {}, {}});
      wait_for(killed, -1, Clock::now() + std::chrono::milliseconds(delay_ms),
               [] { return false; });
      killed.send(SIGKILL);
    }
    if (!std::filesystem::exists(out_)) continue;
    EXPECT_EQ(run_muxlab({"report", out_}).exit_code, 0) << delay_ms;
    const Said resumed = run_muxlab({"bench", "--resume", out_, "--dry-run"});
    EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
  }
}

/// Servers and loads run the program that was started, even if its file changes.
TEST_F(CampaignEdgesTest, TheMeasuredProgramIsOneProgram) {
  const Path program = root_ / "prefix/bin/muxlab";
  std::filesystem::create_directories(program.parent_path());
  std::filesystem::create_directories(root_ / "prefix/share/muxlab");
  std::filesystem::create_directory_symlink(MUXLAB_SOURCE_DIR "/scripts/plots",
                                            root_ / "prefix/share/muxlab/plots");
  std::filesystem::copy_file(MUXLAB_BINARY, program);
  Process process(Command{bench("2s", program), {}, {}});
  await(process, [&] { return std::filesystem::exists(out_); });
  std::ofstream(root_ / "other") << "#!/bin/sh\ntouch " << (root_ / "TRACE").string() << "\n";
  ::chmod((root_ / "other").c_str(), 0755);
  std::filesystem::rename(root_ / "other", program);
  EXPECT_EQ(end_of(process), 0) << process.last_words();
  EXPECT_FALSE(std::filesystem::exists(root_ / "TRACE"));
  for (const RigRecord& record : read_records(out_)) {
    EXPECT_GT(record.echoes, 0U);
    EXPECT_EQ(record.broken, 0U) << record.reason;
  }
}

TEST_F(CampaignEdgesTest, DiagnosticsThatCannotBeWrittenEndNothing) {
  const std::string words =
      fmt::format("'{}' bench --backends poll --connections 5 --for 1s --out", MUXLAB_BINARY);
  const auto is_complete = [&](const std::string& script) {
    const Said said = run_command({"bash", "-c", script});
    EXPECT_EQ(said.exit_code, 0) << script << said.errors;
    EXPECT_EQ(machine()["run_status"], "complete") << script;
    EXPECT_THAT(said.output, HasSubstr("relative to epoll-lt"));
    std::filesystem::remove_all(out_);
  };
  is_complete(fmt::format("{} '{}' 2>/dev/full", words, out_.string()));
  is_complete(fmt::format("{} '{}' 2> >(true)", words, out_.string()));
}

TEST_F(CampaignEdgesTest, LostOutputIsNoSuccessAndTakesNoFileAway) {
  const Said said = run_command(
      {"bash", "-c",
       fmt::format("'{}' bench --backends poll --connections 5 --for 1s --out '{}' >/dev/full",
                   MUXLAB_BINARY, out_.string())});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.errors, HasSubstr("stdout"));
  EXPECT_TRUE(std::filesystem::exists(out_ / "plots/ratios.svg"));
}

/// The campaign is complete before the first picture.
TEST_F(CampaignEdgesTest, ASignalWhilePicturesAreDrawnEndsTheDrawing) {
  const Path drawing = root_ / "drawing";
  const std::string path =
      path_with_gnuplot(fmt::format("touch '{}'; exec sleep 600", drawing.string()));
  std::vector<std::string> words = bench("1s");
  words.insert(words.begin(), {"env", path});
  for (const int signal : {SIGINT, SIGTERM}) {
    Process process(Command{words, {}, {}});
    await(process, [&] { return std::filesystem::exists(drawing); });
    EXPECT_THAT(read_whole(out_ / "report.html"), HasSubstr("poll")) << "already there";
    process.send(signal);
    EXPECT_EQ(end_of(process), 0) << process.last_words();
    EXPECT_THAT(process.last_words(), HasSubstr("interrupted; muxlab report draws"));
    EXPECT_THAT(process.output().text(), HasSubstr("relative to epoll-lt"));
    EXPECT_EQ(machine()["run_status"], "complete");
    std::filesystem::remove(drawing);
    Process report(Command{{"env", path, MUXLAB_BINARY, "report", out_}, {}, {}});
    await(report, [&] { return std::filesystem::exists(drawing); });
    report.send(signal);
    EXPECT_EQ(end_of(report), 128 + signal);
    std::filesystem::remove(drawing);
    std::filesystem::remove_all(out_);
  }
}

/// Interrupted before, it does not begin with pictures.
TEST_F(CampaignEdgesTest, AnInterruptedCampaignDrawsNothing) {
  const Path drawing = root_ / "drawing";
  std::vector<std::string> words = bench("60s");
  words.insert(words.begin(),
               {"env", path_with_gnuplot(fmt::format("touch '{}'", drawing.string()))});
  Process process(Command{words, {}, {}});
  await(process, [&] { return std::filesystem::exists(out_ / "slices.csv"); });
  process.send(SIGINT);
  EXPECT_EQ(end_of(process), 130);
  EXPECT_THAT(process.last_words(), HasSubstr("bench --resume " + out_.string()));
  EXPECT_TRUE(std::filesystem::exists(out_ / "report.html"));
  EXPECT_FALSE(std::filesystem::exists(drawing));
}

TEST_F(CampaignEdgesTest, WithoutIpv4LoopbackItMeasuresOverIpv6) {
  const std::string unshare = "--user --map-root-user --net";
  if (!may_unshare(unshare)) GTEST_SKIP() << "this machine does not permit: unshare " << unshare;
  if (run_command({"ip", "-V"}).exit_code != 0) GTEST_SKIP() << "there is no ip(8)";
  const std::string words =
      fmt::format("'{}' bench --backends poll,oracle --connections 5 --for 2s --out '{}'",
                  MUXLAB_BINARY, out_.string());
  const Said none = run_command({"bash", "-c", fmt::format("unshare {} {}", unshare, words)});
  EXPECT_EQ(none.exit_code, 3) << none.output;
  EXPECT_THAT(none.errors, AllOf(HasSubstr("loopback"), HasSubstr("ip link set lo up")));
  EXPECT_FALSE(std::filesystem::exists(out_)) << "nothing was begun";
  const Said ipv6 = run_command(
      {"bash", "-c",
       fmt::format("unshare {} bash -c \"ip link set lo up && ip address del 127.0.0.1/8 dev lo && "
                   "{}\"",
                   unshare, words)});
  EXPECT_EQ(ipv6.exit_code, 0) << ipv6.errors;
  for (const RigRecord& record : read_records(out_)) EXPECT_EQ(record.broken, 0U) << record.reason;
}

}  // namespace
}  // namespace muxlab
