#include <fmt/format.h>
#include <fmt/ranges.h>

#include "server/cli/completions.hpp"

namespace muxlab {
namespace {

constexpr const char* kFishBegin = R"(# Completion of muxlab for fish: muxlab completions fish
function __muxlab_verb
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end
complete -c muxlab -f
)";

std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '\'';
}

/// Returns how to complete the value, as options of complete.
std::string fish_value(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::name:
      return fmt::format(" -x -a '{}'", fmt::join(option.names, " "));
    case ValueKind::list:
      return fmt::format(" -x -a '(__fish_append , {})'", fmt::join(option.names, " "));
    case ValueKind::file:
      return " -r -F";
    case ValueKind::folder:
      return " -x -a '(__fish_complete_directories)'";
    default:
      return " -x";
  }
}

std::string fish_options(const VerbDescription& verb, const std::string& name) {
  const std::string begin = fmt::format("complete -c muxlab -n '__muxlab_verb \"{}\"'", name);
  std::string text;
  for (const OptionDescription& option : verb.options) {
    text += begin;
    if (!option.short_name.empty()) text += " -s " + option.short_name.substr(1);
    if (!option.positional) text += " -l " + option.name.substr(2);
    text += fish_value(option) + " -d " + fish_quoted(option.help) + '\n';
  }
  return text;
}

}  // namespace

std::string fish_completion(const ProgramDescription& program) {
  std::string text = kFishBegin + fish_options(program.program, "");
  for (const VerbDescription& verb : program.verbs) {
    text += fmt::format("complete -c muxlab -n '__muxlab_verb \"\"' -a {} -d {}\n", verb.name,
                        fish_quoted(verb.help));
  }
  for (const VerbDescription& verb : program.verbs) text += fish_options(verb, verb.name);
  return text;
}

}  // namespace muxlab
