#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/listener.hpp"

/// An echo server with faults, for tests of a client.
namespace muxlab::test {

/// The fault of a server, once a connection has received `at_byte` bytes.
enum class Fault : std::uint8_t { none, corrupt, lose, repeat, misroute, close, reset, silence };

/// Counts of a server's connections.
struct Connections {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;       ///< by either side, with or without a reset
  std::uint64_t ended = 0;        ///< of these: half-closed by the client
  std::uint64_t ended_bytes = 0;  ///< received from those
  std::uint64_t struck = 0;       ///< by the fault
  std::uint64_t bytes = 0;        ///< received
};

struct EchoServerOptions {
  Fault fault = Fault::none;
  std::size_t on_connection = 0;  ///< in order of acceptance; misroute needs the next one too
  std::uint64_t at_byte = 0;
  bool on_every_connection = false;
  bool in_odd_chunks = false;
  bool never_ends = false;  ///< keeps its side open after a half-close
  int backlog = 4096;
  std::optional<std::string> unix_path{};  ///< instead of a TCP port
  std::string host = "127.0.0.1";
};

/// Serves on one thread during its lifetime: poll(2), strict alternation of recv and send.
class EchoServer {
 public:
  explicit EchoServer(EchoServerOptions options = {})
      : options_(std::move(options)),
        at_{.host = options_.host, .unix_path = options_.unix_path},
        listener_(listen_on(at_, false)) {
    checked(::listen(listener_.get(), options_.backlog), "listen");  // again, with another length
    if (!at_.unix_path) at_.port = port_of(listener_.get());
    thread_ = std::thread([this] { serve(); });
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  EchoServer(EchoServer&&) = delete;
  EchoServer& operator=(EchoServer&&) = delete;
  ~EchoServer() {
    static_cast<void>(::eventfd_write(stop_.get(), 1));
    thread_.join();
    if (at_.unix_path) ::unlink(at_.unix_path->c_str());
  }

  [[nodiscard]] std::string address() const { return show(at_); }

  [[nodiscard]] Connections connections() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  /// Waits until `condition` holds for the counts, without a time limit.
  template <typename Condition>
  Connections await(Condition condition) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return condition(counts_); });
    return counts_;
  }
  Connections await_all_closed() const {
    return await([](const Connections& counts) { return counts.closed == counts.accepted; });
  }

  /// Makes it stand still for so long, with the next message that it receives in hand.
  void stall(std::chrono::milliseconds time) { stall_.store(time); }

 private:
  struct Connection {
    UniqueFd fd;
    std::string pending;
    std::uint64_t received = 0;
    bool is_silent = false;
    bool has_ended = false;
  };

  void serve() {
    std::vector<pollfd> polled;
    std::vector<std::size_t> indexes;
    while (true) {
      polled = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      indexes = {0, 0};
      for (std::size_t i = 0; i < connections_.size(); ++i) {
        const Connection& connection = connections_[i];
        if (!connection.fd || connection.has_ended) continue;
        const int events = connection.pending.empty() ? POLLIN : POLLOUT;
        polled.push_back({connection.fd.get(), static_cast<short>(events), 0});
        indexes.push_back(i);
      }
      if (::poll(polled.data(), polled.size(), -1) < 0) continue;
      if (polled[0].revents != 0) return;
      for (std::size_t i = 2; i < polled.size(); ++i) {
        if (polled[i].revents != 0) advance(indexes[i]);
      }
      if (polled[1].revents != 0) accept();
    }
  }

  void accept() {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    connections_.push_back({UniqueFd(fd), {}});
    change([](Connections& counts) { ++counts.accepted; });
  }

  void advance(std::size_t index) {
    Connection& connection = connections_[index];
    if (connection.pending.empty()) receive(index);
    if (!connection.fd || connection.pending.empty()) return;
    send(connection);
  }

  void receive(std::size_t index) {
    Connection& connection = connections_[index];
    const ssize_t count = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (count == 0) return end(connection);
    if (count < 0) {
      if (errno != EAGAIN) close(connection);
      return;
    }
    connection.pending.assign(buffer_.data(), static_cast<std::size_t>(count));
    const std::uint64_t before = connection.received;
    connection.received += static_cast<std::uint64_t>(count);
    change([&](Connections& counts) { counts.bytes += static_cast<std::uint64_t>(count); });
    std::this_thread::sleep_for(stall_.exchange({}));
    const bool is_struck = options_.on_every_connection || index == options_.on_connection;
    if (is_struck && before <= options_.at_byte && options_.at_byte < connection.received) {
      strike(index, options_.at_byte - before);
    }
    if (connection.is_silent) connection.pending.clear();
  }

  template <typename Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change(counts_);
    changed_.notify_all();
  }

  void end(Connection& connection) {
    connection.has_ended = true;
    change([&](Connections& counts) {
      ++counts.ended;
      counts.ended_bytes += connection.received;
    });
    if (!options_.never_ends) close(connection);
  }

  void close(Connection& connection) {
    connection.fd.reset();
    change([](Connections& counts) { ++counts.closed; });
  }

  void strike(std::size_t index, std::uint64_t offset) {
    change([](Connections& counts) { ++counts.struck; });
    Connection& connection = connections_[index];
    std::string& pending = connection.pending;
    switch (options_.fault) {
      case Fault::none:
        break;
      case Fault::corrupt:
        pending[offset] = static_cast<char>(pending[offset] ^ 1);
        break;
      case Fault::lose:
        pending.erase(offset, 1);
        break;
      case Fault::repeat:
        pending.insert(offset, pending, offset, 1);
        break;
      case Fault::misroute:
        connections_[index + 1].pending += pending;
        send(connections_[index + 1]);
        pending.clear();
        break;
      case Fault::close:
        close(connection);
        break;
      case Fault::reset:
        reset(connection);
        break;
      case Fault::silence:
        connection.is_silent = true;
        break;
    }
  }

  void reset(Connection& connection) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(connection.fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(connection);
  }

  void send(Connection& connection) {
    constexpr std::array<std::size_t, 5> kOddChunks = {1, 16'381, 7, 65'521, 3};
    std::size_t sent = 0;
    while (sent < connection.pending.size()) {
      const std::size_t left = connection.pending.size() - sent;
      const std::size_t chunk =
          options_.in_odd_chunks ? kOddChunks[next_chunk_++ % kOddChunks.size()] : left;
      const ssize_t count = ::send(connection.fd.get(), connection.pending.data() + sent,
                                   std::min(chunk, left), MSG_NOSIGNAL);
      if (count < 0) break;
      sent += static_cast<std::size_t>(count);
    }
    connection.pending.erase(0, sent);
  }

  EchoServerOptions options_;
  ListenAddress at_;
  UniqueFd listener_;
  UniqueFd stop_{checked(::eventfd(0, EFD_CLOEXEC), "eventfd")};
  std::vector<Connection> connections_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
  std::size_t next_chunk_ = 0;
  std::atomic<std::chrono::milliseconds> stall_{};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Connections counts_;
  std::thread thread_;
};

}  // namespace muxlab::test
