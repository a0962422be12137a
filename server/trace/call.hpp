#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/counting/call_observer.hpp"

namespace muxlab::trace {

/// What a call that waits has brought: a descriptor, and what it is said to be ready for.
struct Ready {
  std::string descriptor;  ///< its name; see DescriptorNames
  int fd = -1;
  std::string events;  ///< "IN|RDHUP"
};

/// A request to io_uring, or the completion of one.
struct RingRequest {
  std::string operation;  ///< "recv", "accept", "poll_add" and so on: io_uring_enter(2)
  std::string descriptor = {};
  int fd = -1;
  std::vector<std::string> details =
      {};                          ///< "multishot", "64 bytes", and "more to come" at the end
  std::optional<int> result = {};  ///< of a completion: a number, or a negative errno
  std::string returned = {};       ///< the same as text: "64", "ECANCELED", the name of a client
};

/// A system call, with those of its arguments that matter.
struct TracedCall {
  std::string name;  ///< of the function, or of the system call where that is a library's
  Call call = Call::other;
  std::size_t thread = 0;  ///< which of the server's, in the order in which they were made
  std::vector<std::string> arguments = {};
  std::vector<RingRequest> submits = {};
  std::int64_t result = 0;
  int error = 0;              ///< errno where it failed, else 0
  std::string returned = {};  ///< the result as text: "64", "EAGAIN", the name of a client
  std::vector<Ready> brings = {};
  std::vector<RingRequest> completes = {};
};

/// "recv(a, 16384)"
std::string call_text(const TracedCall& call);
/// "64", "EAGAIN", "1: listener IN"
std::string result_text(const TracedCall& call);
/// "recv a, multishot" and, of a completion, "recv a: 64, more to come"
std::string request_text(const RingRequest& request);

/// "EAGAIN"; the number where it has no name.
std::string errno_name(int error);

}  // namespace muxlab::trace
