#pragma once

#include <atomic>
#include <cstdint>

#include "backends/serve_options.hpp"

namespace muxlab {

/// Grants the places that all threads of a server share, and holds the other limits for an accepted
/// socket. Thread: any.
class Admission {
 public:
  Admission(std::uint64_t places, int max_descriptor, WhenFull when_full)
      : max_descriptor_(max_descriptor), when_full_(when_full), free_(places) {}

  /// The highest descriptor that the backend can wait for.
  [[nodiscard]] int max_descriptor() const { return max_descriptor_; }
  [[nodiscard]] WhenFull when_full() const { return when_full_; }

  /// Takes a place for one connection. Returns false when none is free, so served connections never
  /// exceed the places.
  [[nodiscard]] bool enter();
  /// Gives a place back, after its connection is closed.
  void leave() { free_.fetch_add(1, std::memory_order_release); }

  /// Logs to stderr that accepting pauses, at most once a second for all threads together.
  void report_shortage(int error);

 private:
  int max_descriptor_;
  WhenFull when_full_;
  std::atomic<std::uint64_t> free_;
  std::atomic<std::int64_t> reported_at_ns_ = INT64_MIN / 2;
};

}  // namespace muxlab
