#pragma once

#include <cstdint>
#include <span>

namespace muxlab {

/// What a connection waits for: always exactly one of the two, since it receives only when all that
/// it received is sent.
enum class Interest : std::uint8_t { read, write };

/// When a mechanism reports a descriptor: as long as it is ready, or once per change.
enum class Trigger : std::uint8_t { level, edge };

/// A readiness mechanism: select(2), poll(2), epoll(7). Used by one thread; borrows descriptors.
///
/// Readiness is a hint. wait() returns descriptors and not what happened to them, because the next
/// recv(2) or send(2) tells, errors and end of stream included. A report that is spurious or late
/// then costs one EAGAIN and is no error.
class Poller {
 public:
  static constexpr int kForever = -1;

  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  virtual ~Poller() = default;

  [[nodiscard]] virtual Trigger trigger() const { return Trigger::level; }

  /// These two throw std::bad_alloc when there is no memory or no room for `fd`, or it is not open
  /// any more: its connection ends, and no other.
  virtual void add(int fd, Interest interest) = 0;
  /// Also reports again what is ready already, edge-triggered or not.
  virtual void modify(int fd, Interest interest) = 0;
  /// To be called before `fd` is closed. Throws std::system_error when the mechanism itself fails.
  virtual void remove(int fd) = 0;

  /// Watches a descriptor that other threads also watch, to read from it. Wakes only one of them if
  /// the mechanism can. Must not be passed to modify(). Throws as add() does.
  virtual void add_exclusive(int fd) { add(fd, Interest::read); }

  /// Waits for at most `timeout_ms` milliseconds, or kForever. The descriptors that may be ready,
  /// valid until the next call; empty when the time is over, or earlier when a signal came in. A
  /// descriptor that takes two receives is there twice: an edge that brings data and the end of the
  /// stream at once is reported once, and the first receive finds only the data. Throws
  /// std::system_error when the mechanism itself fails.
  virtual std::span<const int> wait(int timeout_ms) = 0;
  std::span<const int> wait() { return wait(kForever); }
};

/// A Poller on which one thread waits and others serve.
class OneShotPoller : public Poller {
 public:
  /// Reports `fd` once, and then not before rearm(): so one thread has it alone. Throws as add()
  /// does.
  virtual void add_once(int fd, Interest interest) = 0;
  /// Also reports again what is ready already. Throws as add() does.
  virtual void rearm(int fd, Interest interest) = 0;
  /// True when any thread may call rearm(), also while another is in wait().
  [[nodiscard]] virtual bool rearms_from_any_thread() const { return false; }
};

}  // namespace muxlab
