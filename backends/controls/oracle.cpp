#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/ready_list.hpp"
#include "backends/parts/timer_fd.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

/// Spins over the notes of the client, which name ready connections, so it needs no system call to
/// find them. A receive and a send per echo are the least that any mechanism needs. So the cost of
/// these calls is the floor for the others; its processor time is not, because it never sleeps.
///
/// The board reports messages only. So epoll(7) is polled ten times a second for everything else:
/// other descriptors, closed connections, and room to send. It is used alone while no client writes
/// notes. A client that writes none for a second is presumed dead.
class OraclePoller final : public Poller {
 public:
  /// `board` must outlive it.
  explicit OraclePoller(OracleBoard& board) : board_(board) {
    ready_.make_room(kMaxEvents + OracleBoard::kDescriptors);
  }

  void add(int fd, Interest interest) override {
    const std::uint64_t name = name_of_peer(fd);
    is_connection_[fd] = name != 0 ? 1 : 0;
    control(EPOLL_CTL_ADD, fd, events_of(interest));
    board_.publish(fd, name);
  }
  void modify(int fd, Interest interest) override {
    control(EPOLL_CTL_MOD, fd, events_of(interest));
  }
  void remove(int fd) override {
    is_connection_[fd] = 0;
    board_.publish(fd, 0);
    static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr));
  }

  std::span<const int> wait(int timeout_ms) override {
    ready_.clear();
    if (!board_.is_reporting()) {
      look(timeout_ms);
      reported_at_ = TimerFd::now();
    } else {
      spin();
    }
    return ready_.fds();
  }

 private:
  /// Spins until a descriptor is ready, or no client writes notes any more.
  void spin() {
    while (ready_.fds().empty() && board_.is_reporting()) {
      const auto now = TimerFd::now();
      board_.take([&](std::uint32_t fd) { hear(fd); });
      if (!ready_.fds().empty()) reported_at_ = now;
      if (now - reported_at_ > kSilence) board_.end_reporting();
      if (now - looked_at_ > kLookInterval) {
        looked_at_ = now;
        look(0);
      }
    }
  }

  /// Checks `fd`, because shared memory may contain anything.
  void hear(std::uint32_t fd) {
    if (fd >= OracleBoard::kDescriptors) return;
    const std::uint8_t* const known = is_connection_.find(static_cast<int>(fd));
    if (known != nullptr && *known == 1) ready_.push(static_cast<int>(fd));
  }

  void look(int timeout) {
    const int count = ::epoll_wait(epoll_.get(), events_.data(), kMaxEvents, timeout);
    if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
    const bool is_reporting = board_.is_reporting();  // may have changed during the wait
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      const bool is_message = event.events == EPOLLIN && is_connection_[event.data.fd] == 1;
      if (!is_reporting || !is_message) ready_.push(event.data.fd);
    }
  }

  static std::uint32_t events_of(Interest interest) {
    return interest == Interest::read ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
  }

  void control(int operation, int fd, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) throw std::bad_alloc();
  }

  static constexpr int kMaxEvents = 1024;
  static constexpr std::chrono::milliseconds kLookInterval{100};
  static constexpr std::chrono::seconds kSilence{1};

  OracleBoard& board_;
  UniqueFd epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::array<epoll_event, kMaxEvents> events_;
  FdMap<std::uint8_t> is_connection_;  ///< 1 or 0
  ReadyList ready_;
  TimerFd::Duration reported_at_ = TimerFd::now();  ///< a client may write before the first wait
  TimerFd::Duration looked_at_{0};
};

Availability probe_oracle() {
  try {
    OracleBoard board = OracleBoard::anonymous();
    OraclePoller poller(board);
    if (!reports_readable(poller)) {
      return Availability::never("it does not report a readable descriptor", "");
    }
    return Availability::up_to(OracleBoard::kDescriptors - 1,
                               "its client reports descriptors below 65536 only");
  } catch (const std::system_error& error) {
    return Availability::never(error);
  }
}

}  // namespace

extern const Backend oracle_backend{
    .name = "oracle",
    .summary = "control, the floor: told by muxlab load --oracle what is ready, it never waits",
    .probe = probe_oracle,
    .serve =
        [](Worker& worker) {
          OracleBoard board = OracleBoard::open(*worker.options.oracle);
          OraclePoller poller(board);
          run_reactor(poller, worker);
        },
    .spins = true,
    .calls = CallsPerEcho{.events = 0},
};

}  // namespace muxlab
