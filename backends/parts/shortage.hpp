#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

namespace muxlab {

/// The limit, permission or memory that a failed set-up step lacked, and the fix.
struct Shortage {
  std::string reason;
  std::string cure;
};

/// Explains an `error` of throw_errno() or std::thread: descriptors, threads, memory, or a
/// forbidden call. Returns nothing if the error itself is explanation enough. Every verb and every
/// probe explains its errors here.
std::optional<Shortage> shortage_of(const std::system_error& error);

/// Returns the error, and its shortage if there is one, in one line.
std::string explain(const std::system_error& error);

/// Returns the shortage of a failed allocation.
Shortage shortage_of_memory();

/// Throws std::system_error unless `count` descriptors can be opened now. For libraries that end
/// the process if they find too few: libevent without a message, libuv by abort(3).
void require_descriptors(std::size_t count);

}  // namespace muxlab
