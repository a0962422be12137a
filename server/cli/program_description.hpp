#pragma once

#include <string>
#include <vector>

#include "server/cli/cli.hpp"

namespace muxlab {

/// The kind of an option's value, which decides how a shell completes it.
enum class ValueKind : std::uint8_t { none, other, name, list, file, folder };

/// An option or a positional argument, as `--help` shows it.
struct OptionDescription {
  std::string name;        ///< "--backend", or "DIR" for a positional argument
  std::string short_name;  ///< "-h"; mostly empty
  std::string type;        ///< the word for the value, "NAME"; empty for a flag
  std::string help;
  std::string shown_default;
  ValueKind kind = ValueKind::none;
  std::vector<std::string> names;     ///< possible values
  std::vector<std::string> excludes;  ///< options that it cannot be combined with
  bool positional = false;
  bool required = false;
  bool repeated = false;  ///< positional: takes several values
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

/// Describes the program from the definitions of its options. Generated text therefore needs no
/// edit when a verb or an option is added.
ProgramDescription describe(CLI::App& program);

}  // namespace muxlab
