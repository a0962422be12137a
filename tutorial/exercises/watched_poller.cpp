#include "tutorial/exercises/watched_poller.hpp"

#include <sys/eventfd.h>

#include <utility>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"

namespace muxlab::exercise {

WatchedPoller::WatchedPoller(std::string_view backend)
    : WatchedPoller(find_backend(backend)->make_poller()) {
  one_shot_ = dynamic_cast<OneShotPoller*>(inner_.get());
}

WatchedPoller::WatchedPoller(std::unique_ptr<Poller> inner)
    : inner_(std::move(inner)), bell_(checked(::eventfd(1, EFD_CLOEXEC), "eventfd")) {
  inner_->add(bell_.get(), Interest::read);
}

std::span<const int> WatchedPoller::wait(int timeout_ms) {
  inner_->modify(bell_.get(), Interest::read);  // reports it again, edge-triggered or not
  ready_.clear();
  for (const int fd : inner_->wait(timeout_ms)) {
    if (fd != bell_.get()) ready_.push_back(fd);
  }
  return ready_;
}

}  // namespace muxlab::exercise
