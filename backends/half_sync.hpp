#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backends/backend.hpp"
#include "backends/echo_connection.hpp"
#include "backends/fd_map.hpp"
#include "backends/idle_list.hpp"
#include "backends/timer_fd.hpp"

namespace muxlab {

/// Half-sync/half-reactive: one thread waits for all connections, others serve them.
///
/// A connection that is ready goes into a queue and is not waited for meanwhile, so that no two
/// threads ever have it. Whoever takes it from the queue receives and sends, and hands it back with
/// what it needs next; the waiting thread then waits for that, or closes it. Only the waiting
/// thread opens, closes and registers descriptors.
class HalfSync {
 public:
  /// `waiter` counts the connections and is kept alive by the caller. Throws std::system_error.
  HalfSync(std::unique_ptr<Poller> poller, Worker waiter);

  /// What the waiting thread does, as Backend::serve says. Once it returns, serve_requests() does
  /// too.
  void wait_for_connections();

  /// What each serving thread does.
  void serve_requests(WorkerStats& stats);

  /// Lets serve_requests() return although there is nobody who waits.
  void end_requests();

 private:
  struct Client {
    EchoConnection connection;
    Next next = Next::read;  ///< what it was handed back with
    bool busy = false;       ///< in the queue, or with the thread that serves it
    bool draining = false;
  };

  void watch_what_is_not_a_client();
  bool turn();
  bool take_connection();
  void request(Client& client);
  void take_back();
  void go_on(Client& client);
  void close(Client& client);
  void close_idle_connections();
  void begin_drain();

  std::optional<Client*> next_request();
  void hand_back(Client& client);

  static constexpr std::size_t kQueueCapacity = 1024;

  std::unique_ptr<Poller> poller_;
  Worker waiter_;
  FdMap<std::unique_ptr<Client>> clients_;
  std::optional<IdleList> idle_;
  TimerFd idle_timer_;
  TimerFd drain_deadline_;
  bool draining_ = false;
  bool past_deadline_ = false;
  std::size_t busy_ = 0;

  std::mutex requests_mutex_;
  std::condition_variable requested_;  ///< there is a request, or there will be none any more
  std::condition_variable has_room_;
  std::deque<Client*> requests_;
  bool over_ = false;

  UniqueFd handed_back_flag_;  ///< eventfd; readable when handed_back_ is not empty
  std::mutex handed_back_mutex_;
  std::vector<Client*> handed_back_;
  std::vector<Client*> taken_back_;  ///< the waiting thread's, kept for its memory
};

}  // namespace muxlab
