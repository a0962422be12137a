#pragma once

#include "backends/parts/failure.hpp"

namespace CLI {
class App;
}

namespace muxlab {

/// Each adds its verb to `program`, and is defined in the room that the verb belongs to. Parsing
/// the command line runs the verb, which sets `exit_code`. Throws Failure.
void add_inspect(CLI::App& program, ExitCode& exit_code);
void add_serve(CLI::App& program, ExitCode& exit_code);
void add_trace(CLI::App& program, ExitCode& exit_code);
void add_load(CLI::App& program, ExitCode& exit_code);
void add_bench(CLI::App& program, ExitCode& exit_code);
void add_report(CLI::App& program, ExitCode& exit_code);
void add_compare(CLI::App& program, ExitCode& exit_code);
void add_completions(CLI::App& program, ExitCode& exit_code);

}  // namespace muxlab
