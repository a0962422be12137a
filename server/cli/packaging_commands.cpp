#include "server/cli/verbs.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "server/cli/cli.hpp"
#include "server/cli/completions.hpp"
#include "server/cli/man_page.hpp"

namespace muxlab {
namespace {

std::string completion_for(const std::string& shell, const ProgramDescription& program) {
  if (shell == "bash") return bash_completion(program);
  return shell == "zsh" ? zsh_completion(program) : fish_completion(program);
}

void write_page(const std::filesystem::path& file, const std::string& roff) {
  const std::filesystem::path temporary = file.string() + ".tmp";
  std::ofstream stream(temporary);
  stream << roff;
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(temporary, file, error);
  if (stream && !error) return;
  std::filesystem::remove(temporary, error);
  throw Failure(ExitCode::unavailable, fmt::format("cannot write {}", file.string()));
}

/// The page of the verb, of the program if there is none, or all of them into a folder.
void run_man(const ProgramDescription& program, const std::string& verb,
             const std::optional<std::string>& folder) {
  const std::string file = verb.empty() ? "muxlab.1" : fmt::format("muxlab-{}.1", verb);
  for (const ManPage& page : man_pages(program)) {
    if (folder) {
      write_page(std::filesystem::path(*folder) / page.file, page.roff);
    } else if (page.file == file) {
      fmt::print("{}", page.roff);
    }
  }
}

}  // namespace

void add_completions(CLI::App& program, ExitCode& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App& verb = cli::add_verb(program, "completions", "Write what completes muxlab in a shell",
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

void add_man(CLI::App& program, ExitCode& exit_code) {
  struct Asked {
    std::string verb;
    std::optional<std::string> folder;
  };
  auto asked = std::make_shared<Asked>();
  std::vector<std::string> verbs;
  for (const VerbDescription& other : describe(program).verbs) verbs.push_back(other.name);
  verbs.emplace_back("man");
  CLI::App& verb =
      cli::add_verb(program, "man", "Write a manual page", [&program, asked, &exit_code] {
        run_man(describe(program), asked->verb, asked->folder);
        exit_code = ExitCode::ok;
      });
  const auto of = cli::add_text(verb, "VERB", asked->verb, "VERB",
                                "Of this verb; without one it is that of muxlab as a whole");
  cli::Option(of).one_of(verbs);
  cli::add_text(verb, "--out", asked->folder, "DIR", "Write all of them to a folder that exists")
      .excludes(of);
  cli::explain(verb, {.description = "The page is in the language of man(1). An installed muxlab "
                                     "has its pages already: man muxlab-serve.",
                      .examples = {{"muxlab man serve | man -l -", "read it"}}});
}

}  // namespace muxlab
