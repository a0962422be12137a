#pragma once

#include <string>

namespace muxlab::exercise {

/// Defined by the check.cpp of each exercise: returns when the code does what it should.
void check();

/// Ends the check: what should have been, and what was. Printed as two lines; exit code 1.
struct Wrong {
  std::string expected;
  std::string happened;
};

inline void expect(bool holds, const std::string& expected, const std::string& happened) {
  if (!holds) throw Wrong{expected, happened};
}

/// The name of an errno, such as "EAGAIN".
std::string errno_name(int error);

/// "ok", or the name of errno: what a call returned that is negative when it fails.
std::string outcome(int result);

}  // namespace muxlab::exercise
