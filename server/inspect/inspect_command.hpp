#pragma once

#include "backends/parts/failure.hpp"

namespace CLI {
class App;
}

namespace muxlab {

/// Adds the verb `inspect` to `program`; it runs while the command line is parsed and leaves its
/// outcome in `exit_code`. Throws Failure.
void add_inspect(CLI::App& program, ExitCode& exit_code);

}  // namespace muxlab
