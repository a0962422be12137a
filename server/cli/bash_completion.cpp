#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "server/cli/completions.hpp"

namespace muxlab {
namespace {

/// Bash passes `option=value` as three words. A list is completed after its last comma.
constexpr const char* kBashBegin = R"(# Completion of muxlab for bash: muxlab completions bash
_muxlab_names() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}
_muxlab_list() {
  local begin="" name names=""
  [[ $2 != *,* ]] || begin=${2%,*},
  for name in $1; do
    [[ ,$begin == *,$name,* ]] || names+=" $name"
  done
  compopt -o nospace 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -P "$begin" -W "$names" -- "${2##*,}")
}
_muxlab_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}
_muxlab() {
  COMPREPLY=()
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    _muxlab_names '@FIRST@' "$word"
    return
  fi
  case ${COMP_WORDS[1]} in
)";
constexpr const char* kBashEnd = R"(  esac
}
complete -F _muxlab muxlab
)";

/// Returns the command that completes a value.
std::string bash_value(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::name:
      return fmt::format("_muxlab_names '{}' \"$word\"", fmt::join(option.names, " "));
    case ValueKind::list:
      return fmt::format("_muxlab_list '{}' \"$word\"", fmt::join(option.names, " "));
    case ValueKind::file:
      return "_muxlab_files -f \"$word\"";
    case ValueKind::folder:
      return "_muxlab_files -d \"$word\"";
    default:
      return "";
  }
}

std::string bash_option_names(const VerbDescription& verb) {
  std::vector<std::string> names;
  for (const OptionDescription& option : verb.options) {
    if (option.positional) continue;
    if (!option.short_name.empty()) names.push_back(option.short_name);
    names.push_back(option.name);
  }
  return fmt::format("{}", fmt::join(names, " "));
}

/// Returns the commands that complete a word that is not the value of an option.
std::string bash_words(const VerbDescription& verb) {
  const std::string options = bash_option_names(verb);
  std::string names = options;
  for (const OptionDescription& word : verb.options) {
    if (!word.positional) continue;
    if (word.kind != ValueKind::name || word.required) {
      return fmt::format(
          "      if [[ $word == -* ]]; then\n        _muxlab_names '{}' \"$word\"\n      else\n"
          "        {}\n      fi\n",
          options, bash_value(word));
    }
    names += fmt::format(" {}", fmt::join(word.names, " "));
  }
  return fmt::format("      _muxlab_names '{}' \"$word\"\n", names);
}

std::string bash_verb(const VerbDescription& verb) {
  std::map<std::string, std::vector<std::string>> options_by_command;
  for (const OptionDescription& option : verb.options) {
    if (option.positional || option.kind == ValueKind::none) continue;
    options_by_command[bash_value(option)].push_back(option.name);
  }
  std::string text = fmt::format("    {})\n      case $before in\n", verb.name);
  for (const auto& [command, options] : options_by_command) {
    text += fmt::format("        {})\n", fmt::join(options, " | "));
    if (!command.empty()) text += fmt::format("          {}\n", command);
    text += "          return\n          ;;\n";
  }
  return text + "      esac\n" + bash_words(verb) + "      ;;\n";
}

}  // namespace

std::string bash_completion(const ProgramDescription& program) {
  std::string first = bash_option_names(program.program);
  std::string text = kBashBegin;
  for (const VerbDescription& verb : program.verbs) {
    first += ' ' + verb.name;
    text += bash_verb(verb);
  }
  const std::string gap = "@FIRST@";
  return text.replace(text.find(gap), gap.size(), first) + kBashEnd;
}

}  // namespace muxlab
