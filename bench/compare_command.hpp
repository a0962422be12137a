#pragma once

#include <CLI/App.hpp>

#include "backends/failure.hpp"

namespace muxlab {

/// Adds the verb `compare` to `program`; it runs while the command line is parsed and leaves its
/// outcome in `exit_code`. Throws Failure.
void add_compare(CLI::App& program, ExitCode& exit_code);

}  // namespace muxlab
