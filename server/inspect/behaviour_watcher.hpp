#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The columns of the behaviour atlas: ways to watch a descriptor.
namespace muxlab::behaviour {

/// Watches one descriptor and tells what is reported, in the mechanism's own words. For one thread.
class Watcher {
 public:
  /// What one wait reported: an entry for each event it brought, such as "IN OUT"; or, if it
  /// failed, the call and its error.
  struct Report {
    std::vector<std::string> events;
    std::string error;
    bool operator==(const Report&) const = default;
  };

  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  virtual ~Watcher() = default;

  /// Asks for everything there is to be told of, with or without room to write. Throws
  /// std::system_error when the mechanism does not take the descriptor.
  virtual void watch(int fd, bool asks_write) = 0;
  /// What is reported now; does not wait.
  virtual Report wait() = 0;
  /// Asks for the same again. False when there is no such thing here.
  virtual bool rearm() { return false; }
};

struct Column {
  std::string_view name;
  std::string_view summary;
  /// Throws Failure (unavailable) or std::system_error when this machine does not have it.
  std::unique_ptr<Watcher> (*make)();
};

/// The column that shows what cannot be masked, and so is not compared with the others.
inline constexpr std::string_view kUnaskedColumn = "epoll-unasked";

/// For states, and for sequences; poll, which says what the state is, is among the former.
std::span<const Column> state_columns();
std::span<const Column> sequence_columns();

/// Names of the bits of poll(2), epoll(7) and io_uring, which are the same.
std::string event_names(unsigned events);

std::unique_ptr<Watcher> make_libevent_watcher();
std::unique_ptr<Watcher> make_ring_watcher();

}  // namespace muxlab::behaviour
