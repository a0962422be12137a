#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace muxlab {

/// What the program tells its caller when it ends; the same with and without `--json`.
enum class ExitCode : int {
  ok = 0,
  failed = 1,         ///< something broke while running
  usage = 2,          ///< the command line asks for something that makes no sense
  unavailable = 3,    ///< a backend or a resource is not to be had on this machine
  untrusted = 4,      ///< finished, but without a point, a precision or a picture
  regressed = 5,      ///< `compare` found that something became worse
  interrupted = 130,  ///< ended by SIGINT; what was measured is kept
  terminated = 143,   ///< ended by SIGTERM; what was measured is kept
};

/// An end of the program that the user can act on: one line that names the value and the cure.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// For set-up steps that fail: errno, and the call that set it.
[[noreturn]] inline void throw_errno(const char* call) {
  throw std::system_error(errno, std::system_category(), call);
}

/// Passes a non-negative result on, and throws for -1.
inline int checked(int result, const char* call) {
  if (result < 0) throw_errno(call);
  return result;
}

}  // namespace muxlab
