#include <sys/socket.h>

#include <memory>

#include "backends/backend.hpp"
#include "backends/reactor.hpp"

namespace muxlab {

extern const Backend epoll_lt_backend;

namespace {

/// epoll-lt with an extra cost that every campaign has to detect: one more system call for each
/// ready descriptor.
///
/// Of the calls that change nothing, the receive that only peeks costs the most, because it locks
/// the socket and copies. A getsockopt(2) or a poll(2) of that descriptor costs half as much.
class ExtraCallPoller final : public Poller {
 public:
  void add(int fd, Interest interest) override { epoll_->add(fd, interest); }
  void modify(int fd, Interest interest) override { epoll_->modify(fd, interest); }
  void remove(int fd) override { epoll_->remove(fd); }
  void add_exclusive(int fd) override { epoll_->add_exclusive(fd); }

  std::span<const int> wait(int timeout_ms) override {
    const auto ready = epoll_->wait(timeout_ms);
    for (const int fd : ready) {
      char byte = 0;
      static_cast<void>(::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    }
    return ready;
  }

 private:
  std::unique_ptr<Poller> epoll_ = epoll_lt_backend.make_poller();
};

}  // namespace

extern const Backend epoll_lt_extra_call_backend{
    .name = "epoll-lt-extra-call",
    .summary = "control: epoll-lt with one system call more per report, a receive that only peeks",
    .probe = probe_poller<ExtraCallPoller>,
    .serve = serve_with<ExtraCallPoller>,
    .calls = CallsPerEcho{.read = 2},
};

}  // namespace muxlab
