#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "backends/parts/failure.hpp"

namespace muxlab {

/// What the load client needs beside a descriptor for each connection, and one for each thread:
/// standard streams, the timeline's, and whatever is open.
inline constexpr std::uint64_t kClientDescriptors = 32;

/// Raises the soft limit on descriptors to the hard one, and returns what it is then: where a
/// seccomp filter forbids that, as it was. The soft one is often 1,024 for the sake of programs
/// that use select(2). Throws std::system_error.
inline std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace muxlab
