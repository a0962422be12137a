#pragma once

#include <string>

namespace muxlab {

/// Makes this process independent of how it was started. Called once, at the top of main, before
/// there is a second thread:
///
/// - Closed descriptors 0 to 2 are opened on /dev/null, so that no file of ours has their
///   numbers. stdin is then empty, stderr takes everything, and stdout still fails to be written.
/// - Signals: nothing is blocked. What a parent ignored has its default action again, but SIGHUP,
///   for nohup(1), and job control. SIGPIPE and SIGXFSZ are ignored: write(2) returns the error.
///   SIGINT and SIGTERM end the process even where it is the first one of a PID namespace, for
///   which the kernel has no default action.
/// - Limits: stacks have the usual size where ulimit -s is tiny or huge. Verbs raise the limit of
///   descriptors themselves.
/// - Locale: always "C", because nothing here calls setlocale(3). Children have an environment of
///   their own: Command in backends/parts/process.hpp.
///
/// Throws Failure (unavailable) where the limits leave too little to run.
void settle_surroundings();

/// Writes out stdout and closes it. Returns why some of the output was lost, or an empty string.
/// `known` is the errno of a write that failed before, 0 if unknown.
std::string lost_output(int known);

}  // namespace muxlab
