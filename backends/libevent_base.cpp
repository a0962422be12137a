#include "backends/libevent_base.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/shortage.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab::libevent {

const std::vector<std::string>& methods() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const char** name = event_get_supported_methods(); *name != nullptr; ++name) {
      found.emplace_back(*name);
    }
    return found;
  }();
  return names;
}

namespace {

using Config = std::unique_ptr<event_config, Free>;

constexpr const char* kReportsNothing = "it does not report a readable descriptor";

/// Makes a configuration that avoids every method but the wanted one.
Config only(const std::string& method) {
  Config config(event_config_new());
  for (const std::string& name : methods()) {
    if (name != method) event_config_avoid_method(config.get(), name.c_str());
  }
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  return config;
}

/// Returns true if `base` reports `readable`, which is readable.
bool reports(event_base* base, int readable) {
  bool reported = false;
  const Event event = watch(
      base, readable, EV_READ, [](int, short, void* result) { *static_cast<bool*>(result) = true; },
      &reported);
  event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
  return reported;
}

UniqueFd make_readable() {
  return UniqueFd(checked(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
}

/// For the child, where an exception must not reach the parent's caller.
bool reports_or_throws_nothing(const std::string& method, int readable) try {
  return reports(make_base(method).get(), readable);
} catch (const std::exception&) {
  return false;
}

/// Returns true if a base with `method` reports a readable descriptor of that number, or if that
/// number is impossible. Finds out in a process of its own, because libevent may abort.
bool reports_in_child(const std::string& method, int descriptor) {
  const pid_t child = checked(::fork(), "fork");
  if (child == 0) {
    const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::close(STDERR_FILENO);  // the abort is expected; its message is not for the user
    const int readable = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (::dup2(readable, descriptor) < 0) ::_exit(EXIT_SUCCESS);  // no descriptor can be so high
    ::_exit(reports_or_throws_nothing(method, descriptor) ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

Availability probe_select() {
  constexpr int kLow = STDERR_FILENO + 1;
  make_base("select");  // throws the reason if there is none
  if (!reports_in_child("select", kLow)) return Availability::never(kReportsNothing, "");
  if (reports_in_child("select", FD_SETSIZE)) return {};
  return Availability::up_to(
      FD_SETSIZE - 1,
      fmt::format("libevent {} aborts the process in its select method from descriptor {} on",
                  event_get_version(), FD_SETSIZE));
}

bool is_set(const std::string& variable) { return ::getenv(variable.c_str()) != nullptr; }

std::string fix(const std::string& method) {
  for (const std::string& variable : {switch_of(method), std::string(kChangelistSwitch)}) {
    const bool matters = variable != kChangelistSwitch || method == "epoll";
    if (matters && is_set(variable)) {
      return fmt::format("unset the environment variable {}", variable);
    }
  }
  return fmt::format("install a libevent that is built with {}", method);
}

}  // namespace

std::string switch_of(const std::string& method) {
  std::string variable = "EVENT_NO" + method;
  std::ranges::transform(variable, variable.begin(), ::toupper);
  return variable;
}

Base make_base(const std::string& method) {
  require_descriptors(kDescriptorsOfBase);
  const Config config = only(method);
  errno = 0;
  Base base(event_base_new_with_config(config.get()));
  const bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  if (!base && is_short) throw_errno("event_base_new");
  if (!base || event_base_get_method(base.get()) != method) {
    throw Failure(ExitCode::unavailable, fmt::format("libevent {} makes no base with the method {}",
                                                     event_get_version(), method));
  }
  return base;
}

Availability probe(const std::string& method) try {
  const Silence silence;
  if (method == "select") return probe_select();
  if (reports(make_base(method).get(), make_readable().get())) return {};
  return Availability::never(kReportsNothing, "");
} catch (const std::system_error& error) {
  return Availability::never(error);
} catch (const std::exception& error) {
  return Availability::never(error.what(), fix(method));
}

Event watch(event_base* base, int fd, short events, event_callback_fn callback, void* argument) {
  Event event(event_new(base, fd, static_cast<short>(events | EV_PERSIST), callback, argument));
  if (!event || event_add(event.get(), nullptr) != 0) throw std::bad_alloc();  // the only cause
  return event;
}

timeval to_timeval(std::chrono::nanoseconds duration) {
  const auto us = std::chrono::ceil<std::chrono::microseconds>(duration).count();
  return {.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
}

IdleTimer::IdleTimer(event_base* base, CallbackGuard& guard, std::chrono::nanoseconds timeout,
                     Close close, void* loop)
    : guard_(guard), close_(close), loop_(loop) {
  if (timeout.count() == 0) return;
  idle_.emplace(timeout);
  timer_.reset(event_new(
      base, -1, 0, [](int, short, void* timer) { static_cast<IdleTimer*>(timer)->guarded_fire(); },
      this));
  if (!timer_) throw std::bad_alloc();
  fire_after(idle_->tick());
}

void IdleTimer::touch(int fd) {
  if (!idle_) return;
  idle_->advance_to(TimerFd::now());
  idle_->touch(fd);
}

void IdleTimer::guarded_fire() {
  guard_.run([this] { fire(); }, [this] { event_base_loopbreak(event_get_base(timer_.get())); });
}

void IdleTimer::fire() {
  idle_->advance_to(TimerFd::now());
  const bool more = idle_->close_due([this](int fd) { close_(loop_, fd); });
  fire_after(more ? std::chrono::nanoseconds(0) : idle_->tick());
}

void IdleTimer::fire_after(std::chrono::nanoseconds delay) {
  const timeval wait = to_timeval(delay);
  if (event_add(timer_.get(), &wait) != 0) throw std::bad_alloc();
}

}  // namespace muxlab::libevent
