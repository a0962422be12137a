#pragma once

#include <chrono>
#include <functional>

namespace muxlab {

/// Waits for a phase in which the machine is as fast as it can be: until `canary` gives no more
/// than `fast_ns`, or no value, but for `patience` at most, and no longer than until `interrupt` is
/// readable (-1: never). Returns how long it waited.
///
/// A virtual machine slows down for seconds when its neighbours are busy. A trial that begins then
/// is measured in vain; one that is put off until the phase is over is not, and what decides is
/// only what was seen before it began.
std::chrono::nanoseconds await_quiet_phase(const std::function<double()>& canary, double fast_ns,
                                           std::chrono::nanoseconds patience, int interrupt);

}  // namespace muxlab
