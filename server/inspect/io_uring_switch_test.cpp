#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "backends/parts/failure.hpp"
#include "server/testing/program.hpp"

/// The output of inspect when the kernel's switch is off. The switch affects the whole machine, so
/// only `scripts/test --full` runs this test, apart from parallel ones. The test sets it to 1 for a
/// moment, which does not affect privileged processes.
namespace muxlab {
namespace {

constexpr const char* kSwitch = "/proc/sys/kernel/io_uring_disabled";

std::string read_switch() {
  std::string value;
  std::ifstream(kSwitch) >> value;
  return value;
}

void write_switch(const std::string& value) { std::ofstream(kSwitch) << value; }

/// Sets the switch to 1 while it lives. A child process restores it when this one ends, even by a
/// crash.
class SwitchedOff {
 public:
  SwitchedOff() : before_(read_switch()) {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    ours_.reset(ends[1]);
    const UniqueFd theirs(ends[0]);
    guard_ = checked(::fork(), "fork");
    if (guard_ == 0) {
      ours_.reset();
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
      char nothing = 0;
      while (::read(theirs.get(), &nothing, 1) < 0 && errno == EINTR) {
      }
      write_switch(before_);
      ::_exit(0);
    }
    write_switch("1");
  }
  SwitchedOff(const SwitchedOff&) = delete;
  SwitchedOff& operator=(const SwitchedOff&) = delete;
  ~SwitchedOff() {
    ours_.reset();
    ::waitpid(guard_, nullptr, 0);
  }

 private:
  std::string before_;
  UniqueFd ours_;
  pid_t guard_ = -1;
};

TEST(IoUringSwitch, IsToldFromEverythingElseThatForbids) {
  const std::string before = read_switch();
  if (before != "0" || ::geteuid() != 0) GTEST_SKIP() << "needs root, and a switch that is on";
  test::Outcome outcome{};
  {
    const SwitchedOff off;
    outcome = test::run("inspect --json --backends poll,io-uring", test::without_privileges());
  }
  EXPECT_EQ(read_switch(), before);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.output;
  const auto found = nlohmann::ordered_json::parse(outcome.output);
  EXPECT_EQ(found["machine"]["io_uring_disabled"], 1);
  EXPECT_EQ(found["backends"][0]["status"], "works");
  EXPECT_EQ(found["backends"][1]["status"], "unavailable");
  const auto reason = found["backends"][1]["reason"].get<std::string>();
  EXPECT_NE(reason.find("kernel.io_uring_disabled is 1"), std::string::npos) << reason;
  const auto fix = found["backends"][1]["fix"].get<std::string>();
  EXPECT_NE(fix.find("kernel.io_uring_group"), std::string::npos) << fix;
}

}  // namespace
}  // namespace muxlab
