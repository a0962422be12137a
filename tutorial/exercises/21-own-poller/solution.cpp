#include <poll.h>

#include <cerrno>
#include <map>
#include <vector>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/21-own-poller/own_poller.hpp"

namespace muxlab::exercise {
namespace {

/// The shortest that does it: the list for poll(2) is made anew for every call, so that nothing has
/// to be kept in step. backends/poll.cpp keeps it, which costs 40 lines and saves the copy.
class OwnPoller final : public Poller {
 public:
  void add(int fd, Interest interest) override { interests_[fd] = interest; }
  /// What is ready already is reported anew by the next wait(), as always with a level.
  void modify(int fd, Interest interest) override { interests_[fd] = interest; }
  void remove(int fd) override { interests_.erase(fd); }

  std::span<const int> wait(int timeout_ms) override {
    ready_.clear();
    polled_.clear();
    for (const auto& [fd, interest] : interests_) {
      const short events = interest == Interest::read ? POLLIN : POLLOUT;
      polled_.push_back({.fd = fd, .events = events, .revents = 0});
    }
    // A signal is no error: the caller gets nothing and waits again.
    if (::poll(polled_.data(), polled_.size(), timeout_ms) < 0 && errno != EINTR)
      throw_errno("poll");
    for (const pollfd& entry : polled_) {
      // Not only what was asked for: an error or a hang-up is for the next recv(2) or send(2) to
      // find.
      if (entry.revents != 0) ready_.push_back(entry.fd);
    }
    return ready_;
  }

 private:
  std::map<int, Interest> interests_;
  std::vector<pollfd> polled_;
  std::vector<int> ready_;
};

}  // namespace

std::unique_ptr<Poller> make_own_poller() { return std::make_unique<OwnPoller>(); }

}  // namespace muxlab::exercise
