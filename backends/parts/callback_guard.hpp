#pragma once

#include <exception>

namespace muxlab {

/// Keeps exceptions of callbacks from passing through the frames of a C library. Used by the loop's
/// thread.
class CallbackGuard {
 public:
  /// Runs `step`. Keeps the first exception, and calls `end_loop` after each.
  template <typename Step, typename EndLoop>
  void run(Step step, EndLoop end_loop) noexcept {
    try {
      step();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
      end_loop();
    }
  }

  /// Rethrows the kept exception. Call it when the loop has returned.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
};

}  // namespace muxlab
