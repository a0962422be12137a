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

/// What the server's descriptors are called in a trace, so that two traces can be compared whatever
/// numbers the kernel gave: a connection is called like its client, others after what they are:
/// "listener", "stop", "epoll", "ring", "eventfd", "timerfd"; "eventfd2" is the second of those.
class DescriptorNames {
 public:
  void give(int fd, std::string name);
  /// A client begins to connect; connections are accepted in that order.
  void client_connects(std::string name) { connecting_.push_back(std::move(name)); }
  /// It is that of the next client.
  void accepted(int fd);
  void closed(int fd) { names_.erase(fd); }

  /// Asks /proc about one that has no name yet.
  std::string of(int fd);

  /// All names that were given, and the numbers they were given to, in that order.
  [[nodiscard]] const std::vector<std::pair<std::string, int>>& all() const { return all_; }

 private:
  std::map<int, std::string> names_;
  std::map<std::string, int> count_;  ///< how often each word was used
  std::deque<std::string> connecting_;
  std::vector<std::pair<std::string, int>> all_;
};

/// Reads from a call's arguments what is asked for, and what came of it. Which descriptor an event
/// or a completion is of it knows from the call that asked for it. Not to be used by two threads at
/// once.
class Decoder {
 public:
  DescriptorNames& names() { return names_; }

  /// Before the call is made.
  TracedCall begun(const MadeCall& made);
  /// After it has returned: adds what came of it to what begun() told.
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
  /// What an event of an epoll instance carries, and for which descriptor.
  std::map<std::pair<int, std::uint64_t>, int> registered_;
  std::map<std::uint64_t, RingRequest> requested_;  ///< by user_data
  unsigned completions_seen_ = 0;
};

/// A bit of a set, or a value of an enumeration, and its name without the common prefix.
struct Flag {
  std::uint64_t value;
  std::string_view name;
};

/// "IN|RDHUP"; bits without a name as a number; "0" for none.
std::string bits_text(std::uint64_t bits, std::span<const Flag> flags);
/// The name, or the number where it has none.
std::string value_text(std::uint64_t value, std::span<const Flag> flags);

std::string epoll_events(std::uint32_t events);
std::string poll_events(std::uint32_t events);

}  // namespace muxlab::trace
