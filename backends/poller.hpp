#pragma once

#include <cstdint>
#include <span>

namespace muxlab {

/// The event that a connection waits for. It is always exactly one, because a connection receives
/// only after it has sent everything that it received.
enum class Interest : std::uint8_t { read, write };

/// When a mechanism reports a descriptor: as long as it is ready, or once per change.
enum class Trigger : std::uint8_t { level, edge };

/// A readiness mechanism: select(2), poll(2), epoll(7). Used by one thread; borrows descriptors.
///
/// Readiness is a hint. wait() returns descriptors without their events, because the next recv(2)
/// or send(2) reports errors and end of stream. A spurious or late report costs one EAGAIN and is
/// not an error.
class Poller {
 public:
  static constexpr int kForever = -1;

  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  virtual ~Poller() = default;

  [[nodiscard]] virtual Trigger trigger() const { return Trigger::level; }

  /// Watches `fd`. add() and modify() throw std::bad_alloc if memory or room for `fd` is lacking,
  /// or if `fd` is closed already. The caller then ends that connection only.
  virtual void add(int fd, Interest interest) = 0;
  /// Changes the interest. Reports an `fd` that is already ready again, even if edge-triggered.
  virtual void modify(int fd, Interest interest) = 0;
  /// Stops watching `fd`. Call it before `fd` is closed. Throws std::system_error if the mechanism
  /// itself fails.
  virtual void remove(int fd) = 0;

  /// Watches a descriptor for input that other threads also watch. Wakes only one of them if the
  /// mechanism can. `fd` must not be passed to modify(). Throws as add() does.
  virtual void add_exclusive(int fd) { add(fd, Interest::read); }

  /// Waits for at most `timeout_ms` milliseconds, or kForever. Returns the descriptors that may be
  /// ready, valid until the next call; none after a time-out or a signal. Returns a descriptor
  /// twice if it needs two receives: an edge with data and end of stream is reported once, and the
  /// first receive finds only the data. Throws std::system_error if the mechanism itself fails.
  virtual std::span<const int> wait(int timeout_ms) = 0;
  std::span<const int> wait() { return wait(kForever); }
};

/// A Poller for Threading::half_sync: one thread waits, others serve.
class OneShotPoller : public Poller {
 public:
  /// Watches `fd` one-shot: it is reported once, then disabled until rearm(), so one thread owns
  /// it. Throws as add() does.
  virtual void add_once(int fd, Interest interest) = 0;
  /// Enables `fd` again. Reports it at once if it is already ready. Throws as add() does.
  virtual void rearm(int fd, Interest interest) = 0;
  /// Returns true if any thread may call rearm(), even while another is in wait().
  [[nodiscard]] virtual bool rearms_from_any_thread() const { return false; }
};

}  // namespace muxlab
