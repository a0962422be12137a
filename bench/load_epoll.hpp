#pragma once

#include <sys/epoll.h>

#include <array>
#include <memory>

#include "backends/unique_fd.hpp"
#include "bench/load_connections.hpp"

namespace muxlab {

/// Connections that an epoll(7) instance watches, level-triggered.
class EpollConnections final : public LoadConnections {
 public:
  /// Throws std::system_error.
  EpollConnections(const Pattern& pattern, const LoadShare& share);

  void watch(int fd, std::uint64_t id) override;
  void unwatch(int fd, std::uint64_t id) override;
  std::span<const LoadEvent> wait(std::int64_t timeout_ns) override;
  Came advance(LoadConnection& connection, const LoadEvent& event) override;
  void flush(LoadConnection& connection) override;

 private:
  void begin(LoadConnection& connection) override;
  Came receive(LoadConnection& connection);
  void send_what_fits(LoadConnection& connection);
  void await_writable(LoadConnection& connection, bool awaits);

  static constexpr std::size_t kEvents = 256;

  UniqueFd epoll_;
  std::array<epoll_event, kEvents> found_;
  std::array<LoadEvent, kEvents> events_;
  std::unique_ptr<std::byte[]> scratch_;
};

}  // namespace muxlab
