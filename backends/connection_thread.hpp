#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <span>

#include "backends/backend.hpp"
#include "backends/parts/send_progress.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {

class ConnectionThread;

/// Finished connection threads, on their way to the thread that joins them.
class FinishedThreads {
 public:
  FinishedThreads();  ///< Throws std::system_error.

  /// The descriptor to wait for: readable when take() has a thread.
  [[nodiscard]] int fd() const { return flag_.get(); }

  /// Adds `done`. Thread: any.
  void push(ConnectionThread& done);
  /// Takes all finished threads, linked by `next`; null if there are none.
  ConnectionThread* take();

 private:
  UniqueFd flag_;
  std::atomic<ConnectionThread*> newest_ = nullptr;
};

/// Starts connection threads: with small stacks, and with all signals blocked except the one that
/// interrupts them.
class SmallThreads {
 public:
  SmallThreads();  ///< Throws std::system_error.
  SmallThreads(const SmallThreads&) = delete;
  SmallThreads& operator=(const SmallThreads&) = delete;
  ~SmallThreads();

  /// Returns zero, or an errno if no thread can be started.
  int start(pthread_t& thread, void* (*body)(void*), void* argument) const;
  static void interrupt(pthread_t thread) { ::pthread_kill(thread, kInterrupt); }

 private:
  /// Ignored by default, so a stray signal does no harm.
  static constexpr int kInterrupt = SIGURG;

  pthread_attr_t attributes_{};
};

/// A connection and the thread that serves it with blocking calls, one connection after another.
///
/// Only that thread receives and sends. The public functions are for the owning thread. The owner
/// also closes the socket, so no other socket can get its number before that.
class ConnectionThread {
 public:
  using Duration = std::chrono::nanoseconds;

  /// The thread counts in `stats` and pushes itself into `finished` when the connection ends. With
  /// `notes_time` it records when the connection was active. All arguments must outlive this.
  ConnectionThread(const SmallThreads& threads, FinishedThreads& finished, WorkerStats& stats,
                   bool notes_time)
      : threads_(threads), finished_(finished), stats_(stats), notes_time_(notes_time) {
    stats.sleeps_in_any_call = true;
  }
  ConnectionThread(const ConnectionThread&) = delete;
  ConnectionThread& operator=(const ConnectionThread&) = delete;
  ~ConnectionThread() = default;  ///< requires !serves()

  /// Serves `socket` on a new thread. Returns zero, or an errno after closing the socket.
  int start(UniqueFd socket);
  [[nodiscard]] bool serves() const { return static_cast<bool>(socket_); }

  /// Returns true if no byte moved in either direction for `timeout` until `now`, TimerFd::now():
  /// neither in a call of the thread, nor from the socket's buffer to the client.
  bool is_idle(Duration now, Duration timeout);

  /// Makes the thread echo the bytes already in the socket, half-close it, and discard further
  /// input until the client closes its side.
  void begin_drain();

  /// Shuts down both directions, so that the thread finishes soon, whatever the client does.
  void cut();

  /// Waits for the thread, which has finished or is about to, and closes the socket.
  void join();

  ConnectionThread* next = nullptr;  ///< in the list of finished threads

 private:
  static void* run(void* self);
  void serve();
  bool drain(std::span<std::byte> buffer);
  bool echo(std::span<const std::byte> received);
  void note_activity();

  const SmallThreads& threads_;
  FinishedThreads& finished_;
  WorkerStats& stats_;
  bool notes_time_;
  UniqueFd socket_;
  pthread_t thread_{};
  std::atomic<bool> draining_ = false;
  std::atomic<Duration::rep> last_activity_ = 0;
  Duration looked_at_{};  ///< when is_idle() last checked progress_
  SendProgress progress_;
};

}  // namespace muxlab
