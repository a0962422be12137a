#pragma once

#include "backends/parts/failure.hpp"

namespace CLI {
class App;
}

namespace muxlab {

/// Adds the verb `trace` to `program`; it runs while the command line is parsed and leaves its
/// outcome in `exit_code`. Throws Failure.
void add_trace(CLI::App& program, ExitCode& exit_code);

}  // namespace muxlab
