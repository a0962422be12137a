#include "backends/parts/say.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>

namespace muxlab {
namespace {

class KeptErrno {
 public:
  KeptErrno() = default;
  KeptErrno(const KeptErrno&) = delete;
  KeptErrno& operator=(const KeptErrno&) = delete;
  ~KeptErrno() { errno = before_; }

 private:
  int before_ = errno;
};

/// During its lifetime, writes of this thread to a pipe without a reader raise no SIGPIPE.
class NoSigpipe {
 public:
  NoSigpipe() {
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe() {
    const timespec at_once{};
    if (!was_pending_) ::sigtimedwait(&sigpipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

/// Returns true if there is room: a pipe then takes kLongestLine bytes without a wait.
bool has_room(int fd, int patience_ms) {
  pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
  const timespec patience{.tv_sec = patience_ms / 1000, .tv_nsec = patience_ms % 1000 * 1'000'000L};
  int ready = 0;
  do ready = ::ppoll(&writable, 1, &patience, nullptr);
  while (ready < 0 && errno == EINTR);
  return ready == 1;
}

/// write(2), past the counters of system calls.
ssize_t write_uncounted(int fd, std::string_view text) {
  const iovec whole{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  constexpr off_t kWhereItIs = -1;
  return ::pwritev2(fd, &whole, 1, kWhereItIs, 0);
}

}  // namespace

void write_diagnostic(std::string_view text, int patience_ms) noexcept {
  const KeptErrno kept;
  const NoSigpipe quiet;
  while (!text.empty() && has_room(STDERR_FILENO, patience_ms)) {
    const ssize_t size = write_uncounted(STDERR_FILENO, text.substr(0, PIPE_BUF));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

void say(std::string_view line, int patience_ms) noexcept {
  constexpr std::string_view kPrefix = "muxlab: ";
  std::array<char, kPrefix.size() + kLongestLine + 1> text;
  auto* end = std::ranges::copy(kPrefix, text.begin()).out;
  end = std::ranges::transform(line.substr(0, kLongestLine), end, [](char c) {
          constexpr char kDelete = 0x7f;
          return static_cast<unsigned char>(c) < ' ' || c == kDelete ? ' ' : c;
        }).out;
  *end++ = '\n';
  write_diagnostic({text.data(), static_cast<std::size_t>(end - text.data())}, patience_ms);
}

}  // namespace muxlab
