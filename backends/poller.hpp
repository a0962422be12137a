#pragma once

#include <cassert>
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
  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  virtual ~Poller() = default;

  [[nodiscard]] virtual Trigger trigger() const { return Trigger::level; }

  /// All of these throw std::system_error when the kernel refuses.
  virtual void add(int fd, Interest interest) = 0;
  /// Also reports anew what is ready already, edge-triggered or not.
  virtual void modify(int fd, Interest interest) = 0;
  /// To be called before `fd` is closed.
  virtual void remove(int fd) = 0;

  /// To read from what other threads wait for too: where the mechanism can, it wakes but one of
  /// them. To be removed, never modified.
  virtual void add_exclusive(int fd) { add(fd, Interest::read); }

  /// To be reported once, and then not before rearm(): whoever got it has it for himself. Both are
  /// for pollers that Backend::make_poller gives out, and no others need have them.
  virtual void add_once(int /*fd*/, Interest /*interest*/) { assert(false); }
  /// Also reports anew what is ready already.
  virtual void rearm(int /*fd*/, Interest /*interest*/) { assert(false); }
  /// True when any thread may call rearm(), also while another is in wait().
  [[nodiscard]] virtual bool rearms_from_any_thread() const { return false; }

  /// Waits without a time limit. The descriptors that may be ready, valid until the next call;
  /// empty when a signal came in. A descriptor may stand there twice.
  virtual std::span<const int> wait() = 0;
};

}  // namespace muxlab
