#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

namespace muxlab {

/// Which limit, permission or memory a failed set-up step lacked, and the cure.
struct Shortage {
  std::string reason;
  std::string cure;
};

/// Explains `error`, as throw_errno() and std::thread throw it: descriptors, threads, memory,
/// or a call that is forbidden. Nothing where the error says all that is known. Every verb and
/// every probe explains its errors here.
std::optional<Shortage> shortage_of(const std::system_error& error);

/// The error, and the shortage where there is one, in one line.
std::string explain(const std::system_error& error);

/// The same of memory that could not be allocated.
Shortage shortage_of_memory();

/// Throws std::system_error unless so many descriptors can be made now. For libraries that end the
/// process where they find too few: libevent without a word, libuv by abort(3).
void require_descriptors(std::size_t count);

}  // namespace muxlab
