#pragma once

#include <atomic>
#include <cstdint>

#include "backends/serve_options.hpp"

namespace muxlab {

/// Who may come in: the places that all threads of a server share, and the rest of what an accepted
/// socket has to meet. May be used by any thread.
class Admission {
 public:
  Admission(std::uint64_t places, int max_descriptor, WhenFull when_full)
      : max_descriptor_(max_descriptor), when_full_(when_full), free_(places) {}

  /// The backend can wait for no descriptor above it.
  [[nodiscard]] int max_descriptor() const { return max_descriptor_; }
  [[nodiscard]] WhenFull when_full() const { return when_full_; }

  /// Takes a place, before the connection is accepted: so there are never more than there are
  /// places. False when there is none.
  [[nodiscard]] bool enter();
  /// Gives one back, after the connection is closed.
  void leave() { free_.fetch_add(1, std::memory_order_release); }

  /// Says on stderr, at most once a second whoever asks, that accepting pauses.
  void report_shortage(int error);

 private:
  int max_descriptor_;
  WhenFull when_full_;
  std::atomic<std::uint64_t> free_;
  std::atomic<std::int64_t> reported_at_ns_ = INT64_MIN / 2;
};

}  // namespace muxlab
