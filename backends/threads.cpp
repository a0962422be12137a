#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "backends/backend.hpp"
#include "backends/connection_thread.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/notify.hpp"
#include "backends/parts/thread_limit.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab {
namespace {

/// Takes connections, starts a thread for each, and joins finished ones. The kernel does the rest:
/// a waiting connection does not affect another.
class ThreadPerConnection {
 public:
  explicit ThreadPerConnection(Worker& worker) : worker_(worker) {}
  ThreadPerConnection(const ThreadPerConnection&) = delete;
  ThreadPerConnection& operator=(const ThreadPerConnection&) = delete;
  ~ThreadPerConnection() {  // leaves no thread, however it ends
    for (const auto& connection : connections_) {
      if (connection && connection->serves()) connection->cut();
    }
    for (const auto& connection : connections_) {
      if (connection && connection->serves()) join(*connection);
    }
  }

  void run() {
    if (has_timeout()) idle_timer_.fire_every(IdleList(timeout()).tick());
    while (turn()) {
    }
  }

 private:
  /// Waits once and handles ready descriptors. Returns false at the end.
  bool turn() {
    const auto unless_draining = [this](int fd) { return draining_ ? -1 : fd; };  // ignored
    std::array<pollfd, 5> waited{{{unless_draining(worker_.stop), POLLIN, 0},
                                  {unless_draining(worker_.source.fd()), POLLIN, 0},
                                  {finished_.fd(), POLLIN, 0},
                                  {idle_timer_.fd(), POLLIN, 0},
                                  {drain_deadline_.fd(), POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0) {
      if (errno != EINTR) throw_errno("poll");
      return true;
    }
    const auto& [stop, source, finished, idle_timer, drain_deadline] = waited;
    if (drain_deadline.revents != 0) return false;
    if (finished.revents != 0) join_finished();
    if (idle_timer.revents != 0) cut_idle();
    if (stop.revents != 0) {
      begin_drain();
    } else if (source.revents != 0) {
      for (int taken = 0; taken < kTakesPerTurn && take_connection(); ++taken) {
      }
    }
    return !draining_ || open_ > 0;
  }

  bool take_connection() {
    Taken socket = worker_.source.take();
    if (!socket) return false;
    if (start(std::move(*socket))) {
      ++open_;
    } else {
      worker_.refuse();
    }
    return true;
  }

  /// Returns false if there is no memory or no thread for it.
  bool start(UniqueFd socket) {
    try {
      auto& connection = connections_[socket.get()];
      if (!connection) {
        // It stays for the next connection with that descriptor, as does its part of the counters.
        connection = std::make_unique<ConnectionThread>(threads_, finished_,
                                                        worker_.stats.add_part(), has_timeout());
      }
      return connection->start(std::move(socket)) == 0;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  /// Joins many finished threads over several turns, so that they do not delay new connections.
  void join_finished() {
    if (to_join_ == nullptr) to_join_ = finished_.take();
    for (int joined = 0; joined < kPerTurn && to_join_ != nullptr; ++joined) {
      join(*std::exchange(to_join_, to_join_->next));
    }
    if (to_join_ != nullptr) notify(finished_.fd());
  }

  void join(ConnectionThread& connection) {
    connection.join();
    worker_.close_done();
    --open_;
  }

  /// Cuts connections that were silent for the whole time-out, over several turns too. The others
  /// continue meanwhile, because they have threads of their own.
  void cut_idle() {
    const auto now = TimerFd::now();
    for (int cut = 0; cut < kPerTurn; ++idle_cursor_) {
      const auto* const entry = connections_.find(idle_cursor_);
      if (entry == nullptr) {
        idle_cursor_ = 0;
        idle_timer_.clear();
        return;
      }
      ConnectionThread* const connection = entry->get();
      if (connection == nullptr || !connection->serves()) continue;
      if (!connection->is_idle(now, timeout())) continue;
      connection->cut();
      ++cut;
    }
  }

  void begin_drain() {
    while (take_connection()) {
    }
    worker_.source.close();
    draining_ = true;
    drain_deadline_.fire_after(worker_.options.drain);
    for (const auto& connection : connections_) {
      if (connection && connection->serves()) connection->begin_drain();
    }
  }

  [[nodiscard]] std::chrono::nanoseconds timeout() const { return worker_.options.idle_timeout; }
  [[nodiscard]] bool has_timeout() const { return timeout().count() > 0; }

  static constexpr int kPerTurn = 64;

  Worker& worker_;
  SmallThreads threads_;
  FinishedThreads finished_;
  FdMap<std::unique_ptr<ConnectionThread>> connections_;
  ConnectionThread* to_join_ = nullptr;
  std::uint64_t open_ = 0;
  TimerFd idle_timer_;
  int idle_cursor_ = 0;     ///< the next descriptor to check
  TimerFd drain_deadline_;  ///< made early: at the end no descriptor may be free
  bool draining_ = false;
};

/// Makes a thread echo a byte.
Availability probe() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  UniqueFd client(ends[0]);
  UniqueFd served(ends[1]);
  const SmallThreads threads;
  FinishedThreads finished;
  WorkerStats stats;
  ConnectionThread connection(threads, finished, stats, false);
  if (const int error = connection.start(std::move(served)); error != 0) {
    return Availability::never(std::system_error(error, std::system_category(), "pthread_create"));
  }
  char byte = '?';
  const bool echoed =
      ::send(client.get(), &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(client.get(), &byte, 1, 0) == 1;
  client.reset();
  connection.join();
  if (!echoed) return Availability::never("a thread that blocks does not echo", "");
  const ThreadLimit limit = thread_limit();
  Availability found;
  found.max_connections = limit.threads;
  found.bound_reason = "each connection has a thread, and " + limit.reason;
  return found;
}

}  // namespace

extern const Backend threads_backend{
    .name = "threads",
    .summary = "one blocking thread per connection: the kernel's scheduler does the multiplexing",
    .probe = probe,
    .serve = [](Worker& worker) { ThreadPerConnection(worker).run(); },
    // A blocking receive is the wait.
    .calls = CallsPerEcho{.events = 0},
    // The buffer, as much of the stack again, and the kernel's own stack and record of a thread.
    .connection_bytes = 2 * kBufferSize + std::size_t{24} * 1024,
};

}  // namespace muxlab
