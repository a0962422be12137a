#include "tutorial/exercises/checking.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>

namespace muxlab::exercise {
namespace {

/// Only what would wait for ever ends like this: a check takes milliseconds.
constexpr unsigned kPatienceSeconds = 120;

void give_up(int /*signal*/) {
  constexpr std::string_view kText =
      "  expected: the check comes to an end\n"
      "  happened: something still waits after two minutes for what never comes\n";
  static_cast<void>(::write(STDOUT_FILENO, kText.data(), kText.size()) < 0);
  ::_exit(1);
}

int report(const std::string& expected, const std::string& happened) {
  std::printf("  expected: %s\n  happened: %s\n", expected.c_str(), happened.c_str());
  return 1;
}

int run() {
  try {
    check();
    std::puts("  passes");
    return 0;
  } catch (const Wrong& wrong) {
    return report(wrong.expected, wrong.happened);
  } catch (const std::exception& error) {
    return report("the check runs without an exception", error.what());
  }
}

}  // namespace

std::string errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : std::to_string(error);
}

std::string outcome(int result) { return result < 0 ? errno_name(errno) : "ok"; }

}  // namespace muxlab::exercise

int main() {
  std::signal(SIGALRM, muxlab::exercise::give_up);
  ::alarm(muxlab::exercise::kPatienceSeconds);
  return muxlab::exercise::run();
}
