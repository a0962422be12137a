#pragma once

#include <exception>

namespace muxlab {

/// Keeps what a callback throws from passing through the frames of a C library. Of the loop's
/// thread.
class CallbackGuard {
 public:
  /// Runs `step`. What it throws is kept, and `end_loop` called.
  template <typename Step, typename EndLoop>
  void run(Step step, EndLoop end_loop) noexcept {
    try {
      step();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
      end_loop();
    }
  }

  /// To be called when the loop has returned: throws what was kept first.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
};

}  // namespace muxlab
