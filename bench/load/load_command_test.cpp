#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "bench/load/testing.hpp"
#include "server/testing/program.hpp"

namespace muxlab {
namespace {

using test::EchoServer;
using test::Fault;
using testing::HasSubstr;

std::vector<std::string> short_words(const std::string& address,
                                     const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"--connect", address, "--connections", "3",
                                    "--warmup",  "1ms",   "--duration",    "20ms"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Said load(std::vector<std::string> words) {
  words.insert(words.begin(), "load");
  return run_muxlab(words);
}

TEST(LoadCommand, WritesOneJsonObject) {
  const EchoServer server;
  const Said outcome = load(short_words(server.address(), {"--json", "--idle", "2", "--size", "4k",
                                                           "--depth", "2", "--threads", "2"}));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.errors, "");
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["run_status"], "complete");
  EXPECT_EQ(json["server"], server.address());
  EXPECT_EQ(json["connections"], 3);
  EXPECT_EQ(json["idle"], 2);
  EXPECT_EQ(json["size_bytes"], 4096);
  EXPECT_EQ(json["depth"], 2);
  EXPECT_EQ(json["threads"], 2);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_GE(json["duration_s"], 0.02);
}

TEST(LoadCommand, WritesWhatAnOpenLoopHasBesideTheRest) {
  const EchoServer server;
  const Said outcome = load(
      short_words(server.address(), {"--json", "--rate", "2k", "--gaps", "fixed", "--seed", "7"}));
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(outcome.exit_code, json["not_trusted"].empty() ? 0 : 4) << outcome.errors;
  EXPECT_EQ(json["model"], "open");
  EXPECT_EQ(json["rate_asked"], 2000);
  EXPECT_EQ(json["gaps"], "fixed");
  EXPECT_EQ(json["seed"], 7);
  EXPECT_TRUE(json["depth"].is_null());
  EXPECT_NEAR(json["offered"].get<double>(), 2000 * json["duration_s"].get<double>(), 2);
  EXPECT_GT(json["latency_ns"]["p50"], json["latency_from_send_ns"]["p50"].get<int>() / 2);
  EXPECT_TRUE(json["send_lag_ns"]["p99"].is_number());
}

TEST(LoadCommand, SaysWhatIsNotToBeTrusted) {
  const EchoServer server;
  const Said outcome = load(short_words(server.address(), {"--rate", "1", "--gaps", "fixed"}));
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.errors, HasSubstr("not to be trusted: no message was due"));
  EXPECT_THAT(outcome.output, HasSubstr("open loop, 1/s, fixed gaps"));
}

TEST(LoadCommand, RejectsWhatBelongsToAnOpenLoop) {
  const EchoServer server;
  for (const auto& [more, problem] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--gaps", "fixed"}, "--gaps is for an open loop: add --rate"},
           {{"--seed", "1"}, "--seed is for an open loop: add --rate"},
           {{"--rate", "1", "--gaps", "even"}, "--gaps even is unknown: there are poisson, fixed"},
           {{"--rate", "0"}, "--rate"}}) {
    const Said outcome = load(short_words(server.address(), more));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.errors, HasSubstr(problem));
  }
}

TEST(LoadCommand, SplitsItsConnectionsByTheShareThatEchoes) {
  const EchoServer server;
  for (const auto& [ratio, active] :
       std::vector<std::pair<std::string, int>>{{"0.2", 1}, {"0.5", 2}, {"0.01", 1}, {"1", 3}}) {
    const Said outcome = load(short_words(server.address(), {"--json", "--active-ratio", ratio}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    const auto json = nlohmann::json::parse(outcome.output);
    EXPECT_EQ(json["connections"], active);
    EXPECT_EQ(json["idle"], 3 - active);
  }
}

TEST(LoadCommand, NamesTheEngineThatRan) {
  const EchoServer server;
  const bool has_ring = find_backend("io-uring")->probe().works;
  for (const auto& [asked, ran] : std::vector<std::pair<std::string, std::string>>{
           {"epoll", "epoll"},
           {"io-uring", "io-uring"},
           {"auto", has_ring ? "io-uring" : "epoll"}}) {
    const Said outcome = load(short_words(server.address(), {"--json", "--engine", asked}));
    if (asked == "io-uring" && !has_ring) {
      EXPECT_EQ(outcome.exit_code, 3);
      EXPECT_THAT(outcome.errors, HasSubstr("--engine io-uring: "));
      continue;
    }
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_EQ(nlohmann::json::parse(outcome.output)["engine"], ran);
  }
}

TEST(LoadCommand, ReplacesItsConnections) {
  const EchoServer server;
  const Said outcome = load({"--connect", server.address(), "--connections", "3", "--duration",
                             "150ms", "--warmup", "1ms", "--churn", "2", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["churn"], 2);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_GT(server.await_all_closed().ended, 0U);
}

TEST(LoadCommand, WritesTextForReaders) {
  const EchoServer server;
  const Said outcome = load(short_words(server.address()));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.errors, "");
  EXPECT_THAT(outcome.output, HasSubstr("closed loop, depth 1"));
}

TEST(LoadCommand, FailsWithAReasonAndStillWritesItsFigures) {
  const EchoServer server({.fault = Fault::corrupt, .on_connection = 1, .at_byte = 100});
  const Said outcome = load(short_words(server.address(), {"--json"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["errors_by_kind"]["mismatch"], 1);
  EXPECT_THAT(outcome.errors, HasSubstr("1 connection failed (mismatch 1); first: connection "));
}

class InterruptedLoad : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(InterruptedLoad, WritesWhatItMeasured) {
  const auto [signal, exit_code] = GetParam();
  const EchoServer server;
  Process process({{MUXLAB_BINARY, "load", "--connect", server.address(), "--connections", "3",
                    "--warmup", "0", "--duration", "60m", "--json"},
                   {},
                   {}});
  server.await([](const test::Connections& now) { return now.bytes > 6'400; });
  process.send(signal);
  wait_for(process, -1, Clock::now() + std::chrono::seconds(120),
           [&] { return process.exit_code().has_value(); });
  EXPECT_EQ(process.exit_code(), exit_code);
  EXPECT_EQ(process.last_words(), "");
  EXPECT_EQ(nlohmann::json::parse(process.output().text())["run_status"], "interrupted");
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptedLoad,
                         testing::Values(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}));

struct Mistake {
  std::vector<std::string> words;
  std::string reason;
};

TEST(LoadCommand, RefusesACommandLineThatMakesNoSense) {
  const std::string absent = "127.0.0.1:1";
  const Mistake mistakes[] = {
      {{}, "--connect"},
      {{"--connect", absent}, "--connections"},
      {{"--connect", "nowhere", "--connections", "1"}, "HOST:PORT"},
      {{"--connect", "unix:", "--connections", "1"}, "from 1 to 107 bytes"},
      {{"--connect", absent, "--connections", "0"}, "--connections 0"},
      {short_words(absent, {"--threads", "4"}), "--threads 4 is more than --connections 3"},
      {short_words(absent, {"--active-ratio", "0"}), "--active-ratio 0"},
      {short_words(absent, {"--active-ratio", "1.1"}), "--active-ratio 1.1"},
      {short_words(absent, {"--active-ratio", "half"}), "--active-ratio half"},
      {short_words(absent, {"--active-ratio", "nan"}), "--active-ratio nan"},
      {short_words(absent, {"--active-ratio", "0.5", "--idle", "1"}), "--idle excludes"},
      {short_words(absent, {"--churn", "0"}), "--churn 0"},
      {short_words(absent, {"--engine", "kqueue"}),
       "--engine kqueue is unknown: there are auto, epoll, io-uring"},
      {short_words(absent, {"--churn", "1", "--rate", "1"}), "--churn is for a closed loop"},
      {short_words(absent, {"--size", "2m"}), "--size 2097152"},
      {short_words(absent, {"--size", "0"}), "--size 0"},
      {short_words(absent, {"--depth", "many"}), "\"many\""},
      {short_words(absent, {"--slices", "99"}), "--slices 99 is not an open descriptor"},
      {{"--connect", absent, "--connections", "1", "--duration", "0"}, "--duration 0"},
  };
  for (const Mistake& mistake : mistakes) {
    SCOPED_TRACE(mistake.reason);
    const Said outcome = load(mistake.words);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(outcome.output, "");
    EXPECT_THAT(outcome.errors, HasSubstr(mistake.reason));
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1);
  }
}

TEST(LoadCommand, SaysWhatIsNotAvailable) {
  const std::string deserted = EchoServer().address();
  const Said refused = load(short_words(deserted));
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_EQ(refused.output, "");
  EXPECT_THAT(refused.errors, HasSubstr("Connection refused"));
}

TEST(LoadCommand, ReportsAReaderThatWentAway) {
  const EchoServer server;
  const std::string command = std::string(MUXLAB_BINARY) + " load --connections 1 --warmup 0 " +
                              "--duration 1ms --connect " + server.address() +
                              " >/dev/full 2>/dev/null";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

}  // namespace
}  // namespace muxlab
