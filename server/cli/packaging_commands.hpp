#pragma once

#include "backends/parts/failure.hpp"

namespace CLI {
class App;
}

namespace muxlab {

/// Adds the verb `completions`. To be added with `man` when all others are there.
void add_completions(CLI::App& program, ExitCode& exit_code);
/// Adds the verb `man`.
void add_man(CLI::App& program, ExitCode& exit_code);

}  // namespace muxlab
