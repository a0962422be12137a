#pragma once

#include <liburing.h>

#include <cstdint>
#include <map>
#include <utility>

#include "server/trace/call.hpp"
#include "server/trace/descriptors.hpp"

namespace muxlab::trace {

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

}  // namespace muxlab::trace
