#pragma once

#include <signal.h>

#include <optional>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Makes SIGINT and SIGTERM readable from a descriptor, during its lifetime.
///
/// Changes only the calling thread's signal mask, so construct it before any thread starts. Once a
/// signal was read, let_the_next_one_end_us() lets another end the process, as users expect.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  Interrupts(Interrupts&&) = delete;
  Interrupts& operator=(Interrupts&&) = delete;
  ~Interrupts();

  /// Returns a descriptor that is readable once a signal has arrived.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Reads a signal: interrupted for SIGINT, terminated for SIGTERM, or nothing yet.
  std::optional<ExitCode> take();
  void let_the_next_one_end_us();

 private:
  sigset_t before_{};
  UniqueFd fd_;
};

}  // namespace muxlab
