#include "server/cli/surroundings.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

/// Opens closed standard descriptors on /dev/null. stdin is empty. stdout is read-only, so a write
/// fails as on a closed descriptor.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    const int opened = ::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    if (opened == fd) continue;  // open(2) returns the lowest free descriptor
    throw Failure(ExitCode::unavailable,
                  fmt::format("descriptor {} is closed, and /dev/null cannot be opened instead: {}",
                              fd, std::system_category().message(errno)));
  }
}

void end_by(int signal) {
  ::raise(signal);  // SA_RESETHAND: takes the default action, which the shell sees
  ::_exit(128 + signal);
}

void set_action(int signal, void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(signal, &action, nullptr);
}

void settle_signals() {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const bool is_kept =
        signal == SIGHUP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    struct sigaction inherited {};
    if (is_kept || ::sigaction(signal, nullptr, &inherited) != 0) continue;
    if (inherited.sa_handler == SIG_IGN) set_action(signal, SIG_DFL);
  }
  for (const int signal : {SIGPIPE, SIGXFSZ}) set_action(signal, SIG_IGN);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (::getpid() == 1) set_action(signal, end_by, static_cast<int>(SA_RESETHAND | SA_NODEFER));
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The kernel reads the limit whenever the main thread's stack grows. The C library has read it
/// already for the stacks of other threads.
void settle_stacks() {
  constexpr rlim_t kLeast = rlim_t{1} << 20, kUsual = rlim_t{8} << 20, kMost = rlim_t{64} << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0) return;
  if (limit.rlim_max < kLeast) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("the limit of {} KiB for a stack is too low: raise it to {} or more "
                              "with ulimit -s",
                              limit.rlim_max >> 10, kLeast >> 10));
  }
  if (limit.rlim_cur >= kLeast && limit.rlim_cur <= kMost) return;
  if (limit.rlim_cur < kLeast) {
    limit.rlim_cur = std::min(limit.rlim_max, kUsual);
    ::setrlimit(RLIMIT_STACK, &limit);
  }
  pthread_attr_t usual;
  if (::pthread_attr_init(&usual) != 0) return;
  ::pthread_attr_setstacksize(&usual, kUsual);
  ::pthread_setattr_default_np(&usual);
  ::pthread_attr_destroy(&usual);
}

}  // namespace

void settle_surroundings() {
  settle_signals();
  open_standard_descriptors();
  settle_stacks();
}

std::string lost_output(int known) {
  const bool failed_before = std::ferror(stdout) != 0;
  int error = known;
  const auto note = [&error](int result) {
    if (result != 0 && error == 0) error = errno;
    return result == 0;
  };
  // Many devices and closed descriptors refuse even an empty write: the reason of the earlier loss.
  if (failed_before) note(static_cast<int>(::write(STDOUT_FILENO, "", 0)));
  const bool flushed = note(std::fflush(stdout));
  const bool closed = note(::close(STDOUT_FILENO));  // some file systems report the loss only now
  if (flushed && closed && !failed_before) return "";
  return fmt::format("the output is incomplete: stdout: {}",
                     error != 0 ? std::system_category().message(error) : "it cannot be written");
}

}  // namespace muxlab
