#pragma once

#include "bench/process_processors.hpp"

namespace muxlab {

/// How long a pair of small system calls takes on `processor` now: ns for writing a byte to a pipe
/// and reading it back, the least of a few short runs; NaN when it cannot be asked there.
///
/// A processor of a virtual machine has speeds that nothing inside tells of: with a busy neighbour
/// on the same core all system calls take a third longer, and the steal time stays zero. Takes
/// about a millisecond; the calling thread is where it was before when this returns.
double canary_ns(int processor);

/// The same where the server of a trial runs; where it has no processor of its own, on this one.
double canary_ns(const Processors& processors);

}  // namespace muxlab
