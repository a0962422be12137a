#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

/// A plain blocking client for tests of the server. Each call times out after a minute, or after
/// MUXLAB_PATIENCE_S seconds, so that a server that hangs fails its test.
namespace muxlab::test {

inline timeval patience() {
  static const char* const seconds = ::getenv("MUXLAB_PATIENCE_S");
  return {.tv_sec = seconds != nullptr ? std::atoi(seconds) : 60, .tv_usec = 0};
}

/// Returns `size` bytes that depend on `seed`, so that a byte of another connection is noticed.
inline std::string random_bytes(std::size_t size, std::uint64_t seed) {
  // Repeats the first bytes, which is fast under a sanitizer. The period is no buffer size.
  constexpr std::size_t kDifferent = 65'521;
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  const std::size_t different = std::min(size, kDifferent);
  for (std::size_t i = 0; i < different; i += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + i, &word, std::min(sizeof word, different - i));
  }
  for (std::size_t i = different; i < size; i += kDifferent) {
    std::memcpy(bytes.data() + i, bytes.data(), std::min(kDifferent, size - i));
  }
  return bytes;
}

/// Returns true as soon as `condition` is true, or false after patience().
template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(patience().tv_sec);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class Client {
 public:
  Client() = default;  ///< not connected
  /// Connects. `address` is from Server::address().
  explicit Client(const std::string& address, int receive_buffer = 0) {
    constexpr std::string_view kUnix = "unix:";
    if (address.starts_with(kUnix)) {
      sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
      std::memcpy(name.sun_path, address.data() + kUnix.size(), address.size() - kUnix.size());
      connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name, receive_buffer);
    } else {
      const auto colon = address.rfind(':');
      const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
      sockaddr_in name{};
      sockaddr_in6 name6{};
      name.sin_family = AF_INET;
      name6.sin6_family = AF_INET6;
      name.sin_port = name6.sin6_port = port;
      if (address.starts_with('[')) {
        ::inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &name6.sin6_addr);
        connect(AF_INET6, reinterpret_cast<const sockaddr*>(&name6), sizeof name6, receive_buffer);
      } else {
        ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &name.sin_addr);
        connect(AF_INET, reinterpret_cast<const sockaddr*>(&name), sizeof name, receive_buffer);
      }
    }
  }

  [[nodiscard]] int fd() const { return socket_.get(); }

  /// Returns true when the kernel took all of `data`.
  [[nodiscard]] bool send(std::string_view data) const {
    while (!data.empty()) {
      const ssize_t sent = ::send(fd(), data.data(), data.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      data.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Returns `size` bytes, or fewer when the stream ends or fails before.
  [[nodiscard]] std::string receive(std::size_t size) const {
    std::string data(size, '\0');
    std::size_t received = 0;
    while (received < size) {
      const ssize_t n = ::recv(fd(), data.data() + received, size - received, 0);
      if (n <= 0) break;
      received += static_cast<std::size_t>(n);
    }
    data.resize(received);
    return data;
  }

  /// Sends `data` while it receives as much, so that neither side has to hold it.
  [[nodiscard]] std::string exchange(std::string_view data) const {
    std::thread sender([&] { static_cast<void>(send(data)); });
    std::string echo = receive(data.size());
    sender.join();
    return echo;
  }

  /// Returns true when one byte is echoed: the server serves this connection.
  [[nodiscard]] bool ping() const { return send("?") && receive(1) == "?"; }

  /// Returns true when data or the end of the stream can be received now.
  [[nodiscard]] bool has_input() const {
    pollfd waited{.fd = fd(), .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, 0) == 1;
  }

  /// Receives a byte. Returns true when it meets the end of the stream instead.
  [[nodiscard]] bool at_end() const {
    char byte = 0;
    return ::recv(fd(), &byte, 1, 0) == 0;
  }

  /// Returns true when the server ended the connection, with or without a reset.
  [[nodiscard]] bool is_cut_off() const {
    char byte = 0;
    const ssize_t received = ::recv(fd(), &byte, 1, 0);
    return received == 0 || (received < 0 && errno == ECONNRESET);
  }

  void end_sending() const { ::shutdown(fd(), SHUT_WR); }

  /// Closes the connection with a reset instead of an end of stream.
  void reset() {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    socket_.reset();
  }

  void close() { socket_.reset(); }

  /// Moves the socket to a descriptor of `at_least` or more.
  void move_to(int at_least) {
    socket_.reset(checked(::fcntl(fd(), F_DUPFD_CLOEXEC, at_least), "fcntl"));
  }

 private:
  void connect(int family, const sockaddr* name, socklen_t size, int receive_buffer) {
    socket_.reset(checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const timeval limit = patience();
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      ::setsockopt(fd(), SOL_SOCKET, option, &limit, sizeof limit);
    }
    if (receive_buffer > 0) {
      ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    checked(::connect(fd(), name, size), "connect");
  }

  UniqueFd socket_;
};

}  // namespace muxlab::test
