#include "server/cli/program_description.hpp"

#include <algorithm>

#include "server/cli/verb.hpp"

namespace muxlab {
namespace {

ValueKind kind_of(const OptionDescription& option) {
  if (option.type == "DIR") return ValueKind::folder;
  if (option.type == "FILE" || option.type == "PATH") return ValueKind::file;
  if (option.type.ends_with(",...") && !option.names.empty()) return ValueKind::list;
  if (!option.names.empty()) return ValueKind::name;
  return option.type.empty() ? ValueKind::none : ValueKind::other;
}

OptionDescription describe_option(const CLI::Option& option, const cli::Verb& verb) {
  OptionDescription all;
  all.positional = option.get_positional();
  all.name = option.get_name(all.positional);
  if (!option.get_snames().empty() && !option.get_lnames().empty()) {
    all.short_name = '-' + option.get_snames().front();
  }
  if (option.get_items_expected_max() > 0) all.type = option.get_type_name();
  all.help = option.get_description();
  all.shown_default = option.get_default_str();
  const auto names = verb.names.find(&option);
  if (names != verb.names.end()) all.names = names->second;
  for (const CLI::Option* const other : option.get_excludes()) {
    all.excludes.push_back(other->get_name(other->get_positional()));
  }
  std::ranges::sort(all.excludes);  // CLI11 orders them by address
  all.required = option.get_required();
  all.repeated = all.positional && option.get_items_expected_max() > 1;
  all.kind = kind_of(all);
  return all;
}

VerbDescription describe_verb(cli::Verb& verb) {
  VerbDescription all{verb.get_name(), verb.get_description(), {}};
  for (const CLI::Option* const option : verb.get_options()) {
    if (!option->get_group().empty()) all.options.push_back(describe_option(*option, verb));
  }
  return all;
}

}  // namespace

ProgramDescription describe(CLI::App& program) {
  ProgramDescription all{describe_verb(dynamic_cast<cli::Verb&>(program)), {}};
  for (CLI::App* const verb : program.get_subcommands({})) {
    all.verbs.push_back(describe_verb(dynamic_cast<cli::Verb&>(*verb)));
  }
  return all;
}

}  // namespace muxlab
