#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "backends/parts/failure.hpp"

namespace muxlab {

/// Descriptors that the load client needs besides one per connection and one per thread: standard
/// streams, the timeline's, and any that are open already.
inline constexpr std::uint64_t kClientDescriptors = 32;

/// Raises the soft limit on descriptors to the hard one. Returns the resulting limit, which is the
/// old one if a seccomp filter forbids the change. The soft limit is often 1,024 because of
/// programs that use select(2). Throws std::system_error.
inline std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace muxlab
