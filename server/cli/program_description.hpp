#pragma once

#include <string>
#include <vector>

#include "server/cli/cli.hpp"

namespace muxlab {

/// What stands for the value of an option, and so what a shell can complete it with.
enum class ValueKind : std::uint8_t { none, other, name, list, file, folder };

/// An option or what stands by itself on the command line, as `--help` shows it.
struct OptionDescription {
  std::string name;        ///< "--backend", or "DIR" for what stands by itself
  std::string short_name;  ///< "-h"; mostly empty
  std::string type;        ///< the word for the value, "NAME"; empty for a flag
  std::string help;
  std::string shown_default;
  ValueKind kind = ValueKind::none;
  std::vector<std::string> names;     ///< that the value may have
  std::vector<std::string> excludes;  ///< options that cannot stand beside it
  bool positional = false;
  bool required = false;
  bool repeated = false;  ///< positional: several may stand there
};

/// A verb, or the program itself.
struct VerbDescription {
  std::string name;
  std::string help;
  std::vector<OptionDescription> options;
};

struct ProgramDescription {
  VerbDescription program;
  std::vector<VerbDescription> verbs;  ///< in the order of the help text
};

/// All that the options were defined with: what is generated from it needs no edit when a verb or
/// an option is added.
ProgramDescription describe(CLI::App& program);

}  // namespace muxlab
