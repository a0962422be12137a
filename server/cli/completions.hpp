#pragma once

#include <string>

#include "server/cli/program_description.hpp"

namespace muxlab {

/// Return completion scripts, to source or to install where the shell looks for them. They complete
/// verbs, options, names as values and as list items, files and folders, without running the
/// program. See bash(1) under "Programmable Completion", zshcompsys(1), and complete of fish(1).
std::string bash_completion(const ProgramDescription& program);
std::string zsh_completion(const ProgramDescription& program);
std::string fish_completion(const ProgramDescription& program);

}  // namespace muxlab
