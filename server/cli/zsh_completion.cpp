#include <fmt/format.h>
#include <fmt/ranges.h>

#include "server/cli/completions.hpp"

namespace muxlab {
namespace {

constexpr const char* kZshBegin = R"(#compdef muxlab
# Completion of muxlab for zsh: muxlab completions zsh
_muxlab() {
  local curcontext="$curcontext" state line ret=1
  typeset -A opt_args
)";
constexpr const char* kZshEnd = R"(      esac
      ;;
  esac
  return ret
}
if [[ $funcstack[1] == _muxlab ]]; then
  _muxlab "$@"
else
  compdef _muxlab muxlab
fi
)";

/// Quotes with single quotes, and a backslash before each of `special`.
std::string zsh_quoted(const std::string& text, const std::string& special) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
      continue;
    }
    if (c == '\\' || special.find(c) != std::string::npos) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

/// Returns `:message:action` of _arguments.
std::string zsh_value(const OptionDescription& option) {
  const std::string& message = option.positional ? option.name : option.type;
  switch (option.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::name:
      return fmt::format(":{}:({})", message, fmt::join(option.names, " "));
    case ValueKind::list:
      return fmt::format(":{}:_sequence compadd - {}", message, fmt::join(option.names, " "));
    case ValueKind::file:
      return fmt::format(":{}:_files", message);
    case ValueKind::folder:
      return fmt::format(":{}:_files -/", message);
    default:
      return fmt::format(":{}: ", message);
  }
}

std::string zsh_specification(const OptionDescription& option) {
  if (option.positional) {
    const char* const kind = option.repeated ? "*" : (option.required ? "" : ":");
    return fmt::format("'{}{}'", kind, zsh_value(option));
  }
  std::vector<std::string> others = option.excludes;
  others.push_back(option.name);
  if (!option.short_name.empty()) others.push_back(option.short_name);
  const std::string value = zsh_value(option);
  const std::string said =
      fmt::format("{}[{}]{}'", value.empty() ? "" : "=", zsh_quoted(option.help, "[]:"), value);
  if (option.short_name.empty()) {
    return fmt::format("'({}){}{}", fmt::join(others, " "), option.name, said);
  }
  return fmt::format("'({})'{{{},{}}}'{}", fmt::join(others, " "), option.short_name, option.name,
                     said);
}

std::string zsh_arguments(const VerbDescription& verb, const char* indent) {
  std::string text;
  for (const OptionDescription& option : verb.options) {
    text += fmt::format(" \\\n{}{}", indent, zsh_specification(option));
  }
  return text;
}

}  // namespace

std::string zsh_completion(const ProgramDescription& program) {
  std::string verbs, cases;
  for (const VerbDescription& verb : program.verbs) {
    verbs += fmt::format("        '{}:{}'\n", verb.name, zsh_quoted(verb.help, ":"));
    cases += fmt::format("        {})\n          _arguments{} && ret=0\n          ;;\n", verb.name,
                         zsh_arguments(verb, "            "));
  }
  return fmt::format(
      "{}  _arguments -C{} \\\n    '1:verb:->verb' '*::argument:->argument' && ret=0\n"
      "  case $state in\n    verb)\n      local -a verbs=(\n{}      )\n"
      "      _describe -t verbs verb verbs && ret=0\n      ;;\n"
      "    argument)\n      case $words[1] in\n{}{}",
      kZshBegin, zsh_arguments(program.program, "    "), verbs, cases, kZshEnd);
}

}  // namespace muxlab
