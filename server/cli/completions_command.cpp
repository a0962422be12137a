#include <fmt/format.h>

#include <memory>
#include <string>

#include "server/cli/cli.hpp"
#include "server/cli/completions.hpp"
#include "server/cli/verbs.hpp"

namespace muxlab {
namespace {

std::string completion_for(const std::string& shell, const ProgramDescription& program) {
  if (shell == "bash") return bash_completion(program);
  return shell == "zsh" ? zsh_completion(program) : fish_completion(program);
}

}  // namespace

void add_completions(CLI::App& program, ExitCode& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App& verb = cli::add_verb(program, "completions", "Write a completion script for a shell",
                                 [&program, shell, &exit_code] {
                                   fmt::print("{}", completion_for(*shell, describe(program)));
                                   exit_code = ExitCode::ok;
                                 });
  cli::add_text(verb, "SHELL", *shell, "SHELL", "bash, zsh or fish")
      .required()
      .one_of({"bash", "zsh", "fish"});
  cli::explain(
      verb, {.description = "It completes verbs, options, and the names that an option "
                            "takes. An installed muxlab has its completions already.",
             .examples = {{"source <(muxlab completions bash)", "in this shell; with zsh the same"},
                          {"muxlab completions fish | source", "in this fish"}}});
}

}  // namespace muxlab
