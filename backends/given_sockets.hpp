#pragma once

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "backends/connection_source.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"

namespace muxlab::test {

inline UniqueFd event() {
  return UniqueFd(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
}

/// A source for tests. Thread: any may call give() and break_down().
class GivenSockets final : public ConnectionSource {
 public:
  /// Gives one end of a socket pair. Returns the client's end, whose receives time out after 20 s.
  UniqueFd give() {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    give(UniqueFd(ends[1]));
    return UniqueFd(ends[0]);
  }
  void give(UniqueFd socket) {
    const std::lock_guard lock(mutex_);
    given_.push_back(std::move(socket));
    notify(given_flag_.get());
  }
  /// Makes each later take() throw std::system_error.
  void break_down() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    notify(given_flag_.get());
  }

  [[nodiscard]] int fd() const override { return given_flag_.get(); }
  /// Returns a blocking socket, the last one given first.
  Taken take() override {
    const std::lock_guard lock(mutex_);
    if (broken_) throw std::system_error(EBADF, std::system_category(), "take");
    if (given_.empty()) {
      std::uint64_t count = 0;
      static_cast<void>(::read(given_flag_.get(), &count, sizeof count));
      return {};
    }
    UniqueFd socket = std::move(given_.back());
    given_.pop_back();
    return socket;
  }
  void give_back() override {}
  void close() override {}

 private:
  UniqueFd given_flag_ = event();
  std::mutex mutex_;
  std::vector<UniqueFd> given_;
  bool broken_ = false;
};

}  // namespace muxlab::test
