#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace muxlab {

/// The exit status of the program; the same with and without `--json`.
enum class ExitCode : int {
  ok = 0,
  failed = 1,         ///< an error while running
  usage = 2,          ///< the command line makes no sense
  unavailable = 3,    ///< a backend or a resource is unavailable on this machine
  untrusted = 4,      ///< finished, but without a point, a precision or a picture
  regressed = 5,      ///< `compare` found a regression
  interrupted = 130,  ///< ended by SIGINT; earlier measurements are kept
  terminated = 143,   ///< ended by SIGTERM; earlier measurements are kept
};

/// An error that the user can act on; ends the program. One line that names the value and the fix.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Throws errno with the name of the call that set it. For set-up steps.
[[noreturn]] inline void throw_errno(const char* call) {
  throw std::system_error(errno, std::system_category(), call);
}

/// Returns a non-negative result; throws as throw_errno() does if it is negative.
inline int checked(int result, const char* call) {
  if (result < 0) throw_errno(call);
  return result;
}

}  // namespace muxlab
