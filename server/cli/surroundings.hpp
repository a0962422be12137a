#pragma once

#include <string>

namespace muxlab {

/// Makes this process independent of its parent's settings. Requires: called once, at the top of
/// main, before a second thread starts.
///
/// - Closed descriptors 0 to 2 are opened on /dev/null, so that no other file gets their numbers.
///   stdin is then empty, stderr discards output, and writing to stdout still fails.
/// - Signals: unblocks all. Ignored signals get their default action, except SIGHUP, because of
///   nohup(1), and the job control signals. SIGPIPE and SIGXFSZ are ignored: write(2) returns the
///   error. SIGINT and SIGTERM end the process even as the first process of a PID namespace, where
///   the kernel has no default action.
/// - Limits: stacks have the usual size even if ulimit -s is tiny or huge. Verbs raise the limit of
///   descriptors themselves.
/// - Locale: always "C", because nothing here calls setlocale(3). Children have an environment of
///   their own: Command in backends/parts/process.hpp.
///
/// Throws Failure (unavailable) when the limits are too low to run.
void settle_surroundings();

/// Flushes and closes stdout. Returns why output was lost, or an empty string. `known` is the errno
/// of an earlier failed write, 0 if unknown.
std::string lost_output(int known);

}  // namespace muxlab
