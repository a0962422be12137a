#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The columns of the behaviour atlas: ways to watch a descriptor.
namespace muxlab::behaviour {

/// Watches one descriptor and reports its events in the mechanism's own words. Thread: one.
class Watcher {
 public:
  /// The result of one wait: an entry such as "IN OUT" for each event, or the failed call and its
  /// error.
  struct Report {
    std::vector<std::string> events;
    std::string error;
    bool operator==(const Report&) const = default;
  };

  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  virtual ~Watcher() = default;

  /// Watches `fd`, a borrowed descriptor, for all events of the mechanism; for writability only
  /// with `asks_write`. Throws std::system_error when the mechanism refuses the descriptor.
  virtual void watch(int fd, bool asks_write) = 0;
  /// Returns the events reported now, without blocking.
  virtual Report wait() = 0;
  /// Re-arms the watch for the same events. Returns false when the mechanism cannot re-arm.
  virtual bool rearm() { return false; }
};

struct Column {
  std::string_view name;
  std::string_view summary;
  /// Throws Failure (unavailable) or std::system_error when this machine lacks the mechanism.
  std::unique_ptr<Watcher> (*make)();
};

/// Asks for no event, so it shows those that cannot be masked. It is not compared with poll.
inline constexpr std::string_view kUnaskedColumn = "epoll-unasked";

/// Return the columns for states, which include the reference poll, and for sequences.
std::span<const Column> state_columns();
std::span<const Column> sequence_columns();

/// Returns the names of event bits, which poll(2), epoll(7) and io_uring share.
std::string event_names(unsigned events);

std::unique_ptr<Watcher> make_libevent_watcher();
std::unique_ptr<Watcher> make_ring_watcher();

}  // namespace muxlab::behaviour
