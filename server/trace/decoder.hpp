#pragma once

#include <liburing.h>

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/trace/call.hpp"

namespace muxlab::trace {

/// Names of the server's descriptors, so that traces with different numbers can be compared. A
/// connection has the name of its client, another descriptor that of its kind: "listener", "stop",
/// "epoll", "ring", "eventfd", "timerfd". "eventfd2" is the second eventfd.
class DescriptorNames {
 public:
  void give(int fd, std::string name);
  /// Notes that a client begins to connect. Requires accepts in the order of these calls.
  void client_connects(std::string name) { connecting_.push_back(std::move(name)); }
  /// Names the accepted `fd` after the next client.
  void accepted(int fd);
  void closed(int fd) { names_.erase(fd); }

  /// Returns the name of `fd`. Reads /proc/self/fd to name a descriptor without one.
  std::string of(int fd);

  /// Returns all names with their numbers, in the order in which they were given.
  [[nodiscard]] const std::vector<std::pair<std::string, int>>& all() const { return all_; }

 private:
  std::map<int, std::string> names_;
  std::map<std::string, int> count_;  ///< how often each word was used
  std::deque<std::string> connecting_;
  std::vector<std::pair<std::string, int>> all_;
};

/// Decodes the arguments and results of calls. Finds the descriptor of an event or a completion by
/// the call that requested it. Thread: one at a time.
class Decoder {
 public:
  DescriptorNames& names() { return names_; }

  /// Decodes the arguments before the call.
  TracedCall begun(const MadeCall& made);
  /// Adds the results after the return to `call`, the result of begun().
  void returned(const MadeCall& made, std::int64_t result, int error, TracedCall& call);

 private:
  void ask(const MadeCall& made, TracedCall& call);
  void ask_ring(const MadeCall& made, TracedCall& call);
  void ask_epoll_ctl(const MadeCall& made, TracedCall& call);
  std::string descriptors_of_set(const MadeCall& made, std::size_t set);
  std::string polled(const MadeCall& made);
  void bring(const MadeCall& made, TracedCall& call);
  void complete(const MadeCall& made, TracedCall& call);
  RingRequest request_of(const io_uring_sqe& entry);
  RingRequest completion_of(const io_uring_cqe& entry);
  void add_ready(TracedCall& call, int fd, std::string events);

  DescriptorNames names_;
  /// The registered descriptor, by epoll instance and epoll_event::data.
  std::map<std::pair<int, std::uint64_t>, int> registered_;
  std::map<std::uint64_t, RingRequest> requested_;  ///< by user_data
  unsigned completions_seen_ = 0;
};

/// A bit of a set or a value of an enumeration, with its name without the common prefix.
struct Flag {
  std::uint64_t value;
  std::string_view name;
};

/// Returns "IN|RDHUP", with unnamed bits as a number; "0" for no bits.
std::string bits_text(std::uint64_t bits, std::span<const Flag> flags);
/// Returns the name of the value, or its number without a name.
std::string value_text(std::uint64_t value, std::span<const Flag> flags);

std::string epoll_events(std::uint32_t events);
std::string poll_events(std::uint32_t events);

}  // namespace muxlab::trace
