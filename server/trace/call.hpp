#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/counting/call_observer.hpp"

namespace muxlab::trace {

/// A ready descriptor that a waiting call reported, and its events.
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
  std::vector<std::string> details = {};  ///< "multishot", "64 bytes"; "more to come" is the last
  std::optional<int> result = {};         ///< of a completion: a number, or a negative errno
  std::string returned = {};  ///< the same as text: "64", "ECANCELED", the name of a client
};

/// A system call with its relevant arguments.
struct TracedCall {
  std::string name;  ///< of the C library's function; "io_uring_enter" for liburing's functions
  Call call = Call::other;
  std::size_t thread = 0;  ///< index of the server's thread, in order of creation
  std::vector<std::string> arguments = {};
  std::vector<RingRequest> submits = {};
  std::int64_t result = 0;
  int error = 0;              ///< errno of a failed call, else 0
  std::string returned = {};  ///< the result as text: "64", "EAGAIN", the name of a client
  std::vector<Ready> brings = {};
  std::vector<RingRequest> completes = {};
};

/// Returns "recv(a, 16384)".
std::string call_text(const TracedCall& call);
/// Returns "64", "EAGAIN", "1: listener IN".
std::string result_text(const TracedCall& call);
/// Returns "recv a, multishot" and, for a completion, "recv a: 64, more to come".
std::string request_text(const RingRequest& request);

/// Returns "EAGAIN", or "errno 999" for a number without a name.
std::string errno_name(int error);

}  // namespace muxlab::trace
