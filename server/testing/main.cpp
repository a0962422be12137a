#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

/// The main program of all tests. Names tests that hang, and logs tests that do not apply.
namespace {

constexpr unsigned kLongestTest_s = 300;

std::string name_of_test;

void name_what_hangs(int /*signal*/) {
  static_cast<void>(::write(STDERR_FILENO, name_of_test.data(), name_of_test.size()));
  std::abort();
}

class Watch : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    name_of_test = std::string(test.test_suite_name()) + '.' + test.name() + " takes too long\n";
    ::alarm(kLongestTest_s);
  }

  /// Appends skipped tests, with the reason, to MUXLAB_NOT_APPLICABLE. Several processes may
  /// append.
  void OnTestEnd(const testing::TestInfo& test) override {
    ::alarm(0);
    const char* const path = ::getenv("MUXLAB_NOT_APPLICABLE");
    if (path == nullptr || !test.result()->Skipped()) return;
    std::string reason = test.result()->GetTestPartResult(0).message();
    reason = reason.substr(0, reason.find('\n'));
    std::ofstream file(path, std::ios::app);
    file << (std::string(test.test_suite_name()) + '.' + test.name() + ": " + reason + '\n')
         << std::flush;
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  std::signal(SIGALRM, name_what_hangs);
  testing::UnitTest::GetInstance()->listeners().Append(new Watch);  // NOLINT: owned there
  return RUN_ALL_TESTS();
}
