#pragma once

#include <signal.h>

#include <optional>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Turns SIGINT and SIGTERM into something to wait for, from its construction to its end.
///
/// Only the calling thread's signal mask changes, so construct it before any thread starts. Once
/// one was received, let_the_next_one_end_us() makes a second one deadly, as users expect.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  Interrupts(Interrupts&&) = delete;
  Interrupts& operator=(Interrupts&&) = delete;
  ~Interrupts();

  /// Readable once a signal has come.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes the signal off fd(): interrupted for SIGINT, terminated for SIGTERM, or nothing yet.
  std::optional<ExitCode> take();
  void let_the_next_one_end_us();

 private:
  sigset_t before_{};
  UniqueFd fd_;
};

}  // namespace muxlab
