#pragma once

#include "bench/load/load.hpp"

namespace muxlab {

/// Opens the connections that `options` name, has each echo once, and then works in slices: for
/// each SliceCommand that arrives on `channel` (a socket that keeps packets apart, borrowed) it
/// runs the loop that the options ask for, closed or open, and answers with a SliceReply. Returns
/// when the other side closes the channel.
///
/// A slice begins and ends with nothing in flight. Every byte is compared with the one sent. When a
/// connection fails, or nothing arrives for options.grace, the reply says so and later commands get
/// the same reply. One thread. Throws Failure as run_load() does, for several threads too.
void run_sliced_load(const LoadOptions& options, int channel);

}  // namespace muxlab
