#pragma once

#include "backends/parts/failure.hpp"

namespace CLI {
class App;
}

namespace muxlab {

/// Each adds its verb to `program`. The verb runs while the command line is parsed and leaves its
/// outcome in `exit_code`. Throws Failure.
void add_bench(CLI::App& program, ExitCode& exit_code);
void add_compare(CLI::App& program, ExitCode& exit_code);
void add_load(CLI::App& program, ExitCode& exit_code);
void add_report(CLI::App& program, ExitCode& exit_code);

}  // namespace muxlab
