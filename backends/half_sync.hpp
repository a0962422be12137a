#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "backends/backend.hpp"
#include "backends/echo_connection.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab {

/// Half-sync/half-reactive: one thread waits for all connections, others serve them.
///
/// 1. The waiting thread waits. 2. A ready connection is reported one-shot. 3. It goes into a
/// bounded queue. 4. A serving thread takes it, 5. receives, and 6. sends. 7. It is re-armed: by
/// the waiting thread, to which it is handed back, or if the mechanism allows it (Rearm::worker) by
/// the serving thread itself, with a single system call.
///
/// `busy` is ownership: the thread that turns it from false to true owns the connection until it
/// turns it back. Only the waiting thread opens and closes connections.
class HalfSync {
 public:
  /// `waiter` counts the connections; its referents must outlive this. Throws std::system_error.
  HalfSync(std::unique_ptr<OneShotPoller> poller, Worker waiter);

  /// Runs the waiting thread, as Backend::serve. At its end serve_requests() returns on all
  /// threads.
  void wait_for_connections();

  /// Runs a serving thread.
  void serve_requests(WorkerStats& stats);

  /// Required by take_some(), both.
  void serve(UniqueFd& socket);
  void forget(int fd);

  /// Makes serve_requests() return even if no thread waits for connections.
  void end_requests();

 private:
  /// One per descriptor number, never freed, because a serving thread unlocks `rearming` when the
  /// connection may be closed already.
  struct Client {
    EchoConnection connection;
    Next next = Next::read;  ///< result of the last advance()
    bool draining = false;
    std::atomic<bool> busy = true;    ///< a thread owns it; also true while it is closed
    std::mutex rearming;              ///< held by a serving thread that re-arms it; delays closing
    Client* next_in_queue = nullptr;  ///< in its queue; it is never in two
  };

  /// FIFO queue, linked through the clients, so it needs no memory of its own.
  class ClientQueue {
   public:
    void push(Client& client) {
      client.next_in_queue = nullptr;
      (size_++ == 0 ? first_ : last_->next_in_queue) = &client;
      last_ = &client;
    }
    Client* pop() {  ///< null if empty
      if (size_ == 0) return nullptr;
      --size_;
      return std::exchange(first_, first_->next_in_queue);
    }
    [[nodiscard]] std::size_t size() const { return size_; }

   private:
    Client* first_ = nullptr;
    Client* last_ = nullptr;
    std::size_t size_ = 0;
  };

  class Serving;

  void watch_what_is_not_a_client();
  bool turn();
  void forget_closed(Client& client);
  void request(Client& client);
  void take_back();
  void go_on(Client& client);
  void close(Client& client);
  void close_idle_connections();
  void begin_drain();

  Client* next_request();
  bool rearm(Client& client);
  bool try_rearm(int fd, Interest interest);
  void hand_back(Client& client);

  static constexpr std::size_t kQueueCapacity = 1024;

  std::unique_ptr<OneShotPoller> poller_;
  Worker waiter_;
  bool workers_rearm_;
  FdMap<std::unique_ptr<Client>> clients_;
  IdleWatch idle_;
  TimerFd drain_deadline_;
  std::atomic<bool> draining_ = false;

  std::mutex requests_mutex_;
  std::condition_variable requested_;  ///< there is a request, or over_ is set
  std::condition_variable has_room_;
  std::condition_variable nobody_serves_;
  ClientQueue requests_;
  std::size_t serving_ = 0;  ///< threads in serve_requests()
  bool over_ = false;

  UniqueFd handed_back_flag_;  ///< eventfd; readable while handed_back_ is not empty
  std::mutex handed_back_mutex_;
  ClientQueue handed_back_;
};

}  // namespace muxlab
