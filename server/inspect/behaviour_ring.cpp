#include <poll.h>

#include <system_error>

#include "backends/io_uring_features.hpp"
#include "backends/parts/failure.hpp"
#include "backends/ring.hpp"
#include "server/inspect/behaviour_socket.hpp"
#include "server/inspect/behaviour_watcher.hpp"

namespace muxlab::behaviour {
namespace {

class RingWatcher final : public Watcher {
 public:
  void watch(int fd, bool asks_write) override {
    fd_ = fd;
    events_ = POLLIN | POLLPRI | POLLRDHUP | (asks_write ? POLLOUT : 0);
    arm();
  }

  /// Skips completions of cancelled requests.
  Report wait() override {
    ring_.submit_and_finish();
    Report report;
    for (unsigned n = 0; n < ring_.ready(); ++n) {
      const io_uring_cqe& done = ring_.completion(n);
      if (done.user_data != request_) continue;
      if (done.res < 0) {
        report.error = "poll request " + error_name(-done.res);
      } else {
        report.events.push_back(event_names(static_cast<unsigned>(done.res)));
      }
    }
    ring_.seen(ring_.ready());
    return report;
  }

  bool rearm() override {
    io_uring_sqe* const cancel = ring_.entry();
    io_uring_prep_cancel64(cancel, request_, 0);
    cancel->user_data = 0;
    arm();
    return true;
  }

 private:
  void arm() {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_poll_multishot(entry, fd_, events_);
    entry->user_data = ++request_;
    ring_.submit();  // the watch begins now, not with the next wait
  }

  Ring ring_{8, 16};
  int fd_ = -1;
  unsigned events_ = 0;
  std::uint64_t request_ = 0;
};

}  // namespace

std::unique_ptr<Watcher> make_ring_watcher() try {
  return std::make_unique<RingWatcher>();
} catch (const std::system_error& error) {
  throw Failure(ExitCode::unavailable, why_no_ring(error.code().value()).reason);
}

}  // namespace muxlab::behaviour
