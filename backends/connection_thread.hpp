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

/// Connection threads that are done, on their way from themselves to the one that joins them.
class FinishedThreads {
 public:
  FinishedThreads();  ///< Throws std::system_error.

  /// What to wait for: readable when take() has something.
  [[nodiscard]] int fd() const { return flag_.get(); }

  /// Any thread.
  void push(ConnectionThread& done);
  /// All that are there, linked by `next`; null when there is none.
  ConnectionThread* take();

 private:
  UniqueFd flag_;
  std::atomic<ConnectionThread*> newest_ = nullptr;
};

/// How connection threads are made: with small stacks, and with all signals blocked but the one
/// that interrupts them.
class SmallThreads {
 public:
  SmallThreads();  ///< Throws std::system_error.
  SmallThreads(const SmallThreads&) = delete;
  SmallThreads& operator=(const SmallThreads&) = delete;
  ~SmallThreads();

  /// Zero, or why there can be no further thread: an errno.
  int start(pthread_t& thread, void* (*body)(void*), void* argument) const;
  static void interrupt(pthread_t thread) { ::pthread_kill(thread, kInterrupt); }

 private:
  /// By default it is ignored, so that one too many, from anywhere, does no harm.
  static constexpr int kInterrupt = SIGURG;

  pthread_attr_t attributes_{};
};

/// A connection and the thread that serves it with blocking calls, one connection after another.
///
/// The thread alone receives and sends. All that is public is for the thread that owns this, which
/// also closes the socket: so nobody else's socket can have its number meanwhile.
class ConnectionThread {
 public:
  using Duration = std::chrono::nanoseconds;

  /// The thread counts in `stats`, and puts itself into `finished` when the connection is over.
  /// With `notes_time` it also notes when the connection was active. All of these outlive it.
  ConnectionThread(const SmallThreads& threads, FinishedThreads& finished, WorkerStats& stats,
                   bool notes_time)
      : threads_(threads), finished_(finished), stats_(stats), notes_time_(notes_time) {
    stats.sleeps_in_any_call = true;
  }
  ConnectionThread(const ConnectionThread&) = delete;
  ConnectionThread& operator=(const ConnectionThread&) = delete;
  ~ConnectionThread() = default;  ///< it does not serve then

  /// Serves `socket` from now on. Zero; or an errno, and the socket is closed.
  int start(UniqueFd socket);
  [[nodiscard]] bool serves() const { return static_cast<bool>(socket_); }

  /// True when no byte moved in either direction for `timeout` until `now`, TimerFd::now(): neither
  /// in a call of the thread, nor from the socket's buffer to the client.
  bool is_idle(Duration now, Duration timeout);

  /// From now on it sends back what has come, ends its side of the stream, and takes in the rest
  /// without an echo until the client has ended its side.
  void begin_drain();

  /// Ends the connection both ways, so that the thread is soon done, whatever the client does.
  void cut();

  /// Waits for the thread, which is done or about to be, and closes the socket.
  void join();

  ConnectionThread* next = nullptr;  ///< among those that are finished

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
  Duration looked_at_{};  ///< when is_idle() looked at progress_
  SendProgress progress_;
};

}  // namespace muxlab
