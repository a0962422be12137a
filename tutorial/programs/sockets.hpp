#pragma once

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <concepts>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

/// What nearly every program of this folder starts with.
namespace tutorial {

/// Passes on what a system call returned; where that is -1, throws an error that names the call.
template <std::signed_integral Result>
Result check(Result result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::system_category(), call);
  return result;
}

/// Owns one descriptor and closes it. An `int` is a descriptor that somebody else owns.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  /// close(2) is never repeated: on Linux the descriptor is gone even after EINTR.
  void reset(int fd = -1) {
    if (const int old = std::exchange(fd_, fd); old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// The program's only argument; 0, for any free port, without one.
inline std::uint16_t port_argument(int argc, char** argv) {
  const std::string_view text = argc > 1 ? argv[1] : "0";
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (argc > 2 || error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("takes one port, a number from 0 to 65535");
  }
  return port;
}

inline std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  check(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

/// `flags`: SOCK_NONBLOCK, or nothing. Close-on-exec, so that no child inherits it.
inline Fd listen_on(std::uint16_t port, int flags = 0) {
  Fd socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
  // Else a restarted server finds its port taken while old connections are in TIME_WAIT.
  const int yes = 1;
  check(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "setsockopt");
  const sockaddr_in address = loopback(port);
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  check(::listen(socket.get(), SOMAXCONN), "listen");
  return socket;
}

inline Fd connect_to(std::uint16_t port) {
  Fd socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const sockaddr_in address = loopback(port);
  check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "connect");
  return socket;
}

/// The next client; none when the listener is non-blocking and nobody waits.
inline Fd accept_client(int listener, int flags = 0) {
  for (;;) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | flags);
    if (client >= 0) return Fd(client);
    if (errno == EAGAIN) return {};
    // A client that left while it waited is its own affair, and so is a signal.
    if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR) check(client, "accept4");
  }
}

/// As many as leave some descriptors for the rest: who never has more never meets EMFILE.
inline std::size_t most_clients() {
  constexpr rlim_t kForTheRest = 16, kEnough = 1000;
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  if (limit.rlim_cur <= kForTheRest) throw std::runtime_error("ulimit -n allows too few files");
  return std::min(limit.rlim_cur - kForTheRest, kEnough);
}

/// Prints a line at once, also into a pipe or a file.
template <typename... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
  fmt::print(format, std::forward<Values>(values)...);
  fmt::print("\n");
  std::fflush(stdout);
}

inline void say_port(int listener) { say("listening on 127.0.0.1:{}", port_of(listener)); }

/// For servers that block: they have nothing to tidy up, and _exit(2) may be called anywhere.
inline void exit_on_signal() {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { ::_exit(0); });
}

/// For servers that wait for many things: readable once SIGINT or SIGTERM has come.
inline Fd stop_signals() {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  check(::sigprocmask(SIG_BLOCK, &set, nullptr), "sigprocmask");
  return Fd(check(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
}

}  // namespace tutorial
