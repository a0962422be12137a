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
    return run_trial(setup_, {"poll", "single", 1, 10, 0}, anywhere);
  }

  std::string reason_for_failure(const std::string& serve, const std::string& load) {
    const auto outcome = run(serve, load);
    if (!outcome || outcome->status != TrialStatus::failed) return "did not fail";
    return outcome->reason;
  }

  std::filesystem::path folder_;
  TrialSetup setup_;
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
  setup_.unix_sockets = true;
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

TEST_F(TrialTest, InterruptLeavesNoOutcome) {
  const Pipe pipe = make_pipe();
  ASSERT_EQ(::write(pipe.write_end.get(), "x", 1), 1);
  setup_.interrupt = pipe.read_end.get();
  EXPECT_FALSE(run("exec sleep 60", "exit 0"));
}

}  // namespace
}  // namespace muxlab
