#include "bench/trial.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bench/process_pipe.hpp"

namespace muxlab {
namespace {

using testing::HasSubstr;

constexpr const char* kListening =
    "echo 'listening on 127.0.0.1:1 backend=poll threading=single threads=1'; ";

/// Runs a trial of a shell script in place of the program.
class TrialTest : public testing::Test {
 protected:
  TrialTest() {
    std::string name = testing::TempDir() + "trial-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    setup_.program = folder_ / "program";
    setup_.patience = std::chrono::seconds(10);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::optional<TrialOutcome> run(const std::string& serve, const std::string& load) {
    std::ofstream(setup_.program) << "#!/bin/sh\ncase $1 in\nserve) " << serve << ";;\nload) "
                                  << load << ";;\nesac\n";
    std::filesystem::permissions(setup_.program, std::filesystem::perms::owner_all);
    const Processors anywhere;
    return run_trial(setup_, cell_, anywhere);
  }

  std::string reason_for_failure(const std::string& serve, const std::string& load) {
    const auto outcome = run(serve, load);
    if (!outcome || outcome->status != TrialStatus::failed) return "did not fail";
    return outcome->reason;
  }

  std::filesystem::path folder_;
  TrialSetup setup_;
  Cell cell_{"poll", "single", 1, 10, 0};
};

TEST_F(TrialTest, ServerThatNeverSpeaksMeetsTheDeadline) {
  setup_.patience = std::chrono::milliseconds(30);
  EXPECT_THAT(reason_for_failure("exec sleep 60", "exit 0"),
              HasSubstr("server did not give its address within 30ms"));
}

TEST_F(TrialTest, ServerThatEndsIsQuoted) {
  EXPECT_THAT(reason_for_failure("echo no room >&2; exit 3", "exit 0"),
              HasSubstr("server ended with code 3: no room"));
}

TEST_F(TrialTest, ServerThatSaysSomethingElseIsQuoted) {
  EXPECT_THAT(reason_for_failure("echo hello; exec sleep 60", "exit 0"),
              HasSubstr("server said \"hello\" first"));
}

TEST_F(TrialTest, ServerIsToldWhereToListen) {
  EXPECT_THAT(reason_for_failure("echo $*; exec sleep 60", "exit 0"), HasSubstr("--port 0"));
  cell_.unix_sockets = true;
  EXPECT_THAT(reason_for_failure("echo $*; exec sleep 60", "exit 0"),
              testing::AllOf(HasSubstr("--unix /"), testing::Not(HasSubstr("--port"))));
}

TEST_F(TrialTest, ClientThatEndsIsQuoted) {
  EXPECT_THAT(
      reason_for_failure(std::string(kListening) + "exec sleep 60", "echo refused >&2; exit 1"),
      HasSubstr("client ended with code 1: refused"));
}

TEST_F(TrialTest, ClientThatNeverBeginsMeetsTheDeadline) {
  setup_.patience = std::chrono::milliseconds(200);
  EXPECT_THAT(reason_for_failure(std::string(kListening) + "exec sleep 60", "exec sleep 60"),
              HasSubstr("client did not give its begin within"));
}

TEST_F(TrialTest, ServerThatDiesInTheWindowEndsTheTrial) {
  EXPECT_THAT(reason_for_failure(std::string(kListening) + "exec sleep 60",
                                 "echo begin 1 >&3; exec sleep 60"),
              HasSubstr("server ended with code"));
}

/// Answers each SIGUSR1 with counters, a second and a thousand echoes after those before.
constexpr const char* kCountingServer =
    R"(n=0; count() { n=$((n+1)); echo "{\"monotonic_ns\": ${n}000000000, \"cpu_ns\": ${n}00, )"
    R"(\"bytes_out\": ${n}64000, \"syscalls\": {\"wait\": $n, \"read\": ${n}000, )"
    R"(\"write\": ${n}000, \"ctl\": 0, \"accept\": 0, \"other\": 0}}"; }; )"
    R"(trap count USR1; trap 'exit 0' TERM; )";
constexpr const char* kDoubtfulReport =
    R"({"model": "open", "echoes_per_s": 1000, "errors": 0, "duration_s": 1, "connect_s": 0, )"
    R"("latency_ns": {"p50": 1, "p90": 1, "p99": 1, "p99_9": 1, "max": 1}, )"
    R"("client_cpu_ns_per_echo": 1, "offered_per_s": 2000, "latency_from_send_ns": {"p99": 1}, )"
    R"("send_lag_ns": {"p99": 1}, "not_trusted": ["it was asked for more"]})";

/// A client that says that it was too slow is believed, and what it measured is kept.
TEST_F(TrialTest, ClientThatDoubtsItselfIsNotTrusted) {
  cell_.rate_per_s = 2000;
  const std::string load = std::string(
                               "case \"$*\" in *'--rate 2000'*) ;; *) exit 1;; esac; "
                               "echo begin 1 >&3; sleep 0.1; echo end 2 >&3; echo '") +
                           kDoubtfulReport + "'; exit 4";
  const auto outcome =
      run(std::string(kCountingServer) + kListening + "while :; do sleep 0.01; done", load);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->status, TrialStatus::untrusted);
  EXPECT_EQ(outcome->reason, "it was asked for more");
  EXPECT_EQ(outcome->metrics[Metric::offered_per_s], 2000);
  EXPECT_GT(outcome->metrics[Metric::canary_ns], 0);
}

TEST_F(TrialTest, InterruptLeavesNoOutcome) {
  const Pipe pipe = make_pipe();
  ASSERT_EQ(::write(pipe.write_end.get(), "x", 1), 1);
  setup_.interrupt = pipe.read_end.get();
  EXPECT_FALSE(run("exec sleep 60", "exit 0"));
}

}  // namespace
}  // namespace muxlab
