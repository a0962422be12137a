#include "server/cli/completions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/cli/verb.hpp"
#include "server/testing/program.hpp"

/// Reads `--help`, the reference for generated completions.
namespace muxlab::test {

/// Runs a command of sh(1) to its end.
inline Outcome run_shell(const std::string& command) {
  FILE* const pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  Outcome outcome{.exit_code = -1, .output = {}};
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    outcome.output.append(buffer.data(), n);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

/// Returns the lines below that heading, up to an empty line.
inline std::vector<std::string> lines_below(const std::string& help, const std::string& heading) {
  std::istringstream lines(help);
  std::vector<std::string> found;
  bool is_below = false;
  for (std::string line; std::getline(lines, line); is_below |= line == heading) {
    if (is_below && line.empty()) break;
    if (is_below) found.push_back(line);
  }
  return found;
}

inline std::vector<std::string> verbs_of_help() {
  std::vector<std::string> verbs;
  for (const std::string& line : lines_below(run("--help").output, "Subcommands:")) {
    if (line[2] != ' ') verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return verbs;
}

/// Returns the long names, as "--backend".
inline std::set<std::string> options_of_help(const std::string& verb) {
  static const std::regex kName(R"(^  (?:-\w,)?(--[a-z][a-z0-9-]*))");
  std::set<std::string> options;
  for (const std::string& line : lines_below(run(verb + " --help").output, "Options:")) {
    std::smatch name;
    if (std::regex_search(line, name, kName)) options.insert(name[1]);
  }
  return options;
}

}  // namespace muxlab::test

/// Lets the shells themselves complete typed words.
namespace muxlab {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using Words = std::set<std::string>;

struct Shell {
  const char* name;
  std::string (*write)(const ProgramDescription&);
  const char* command;  ///< runs the driver of its name in scripts/packaging/shells
};

const Shell kShells[] = {
    {"bash", bash_completion, "bash --norc $MUXLAB_SHELLS/complete.bash"},
    {"zsh", zsh_completion,
     "cp $MUXLAB_SHELLS/complete.zsh .zshrc && ZDOTDIR=. TERM=xterm script --quiet --command "
     "'zsh -d -i' /dev/null </dev/null"},
    {"fish", fish_completion, "fish --no-config $MUXLAB_SHELLS/complete.fish"},
};

/// Returns the last item of a list, or the last part of a file name. Shells differ in whether they
/// show the whole word or only the addition.
std::string last_part(std::string word) {
  word = word.substr(0, word.find('\t'));  // fish adds an explanation
  while (!word.empty() && (word.back() == '/' || word.back() == ' ')) word.pop_back();
  return word.substr(word.find_last_of("/,=") + 1);
}

class Completions : public testing::TestWithParam<Shell> {
 protected:
  Completions() {
    std::string name = testing::TempDir() + "completions-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Returns the offers of the shell for each of `lines`, with `script` loaded.
  std::map<std::string, Words> complete(const std::string& script,
                                        const std::vector<std::string>& lines) const {
    std::ofstream(folder_ / "script") << script;
    std::string all;
    for (const std::string& line : lines) all += (all.empty() ? "" : "\n") + line;
    ::setenv("MUXLAB_LINES", all.c_str(), 1);
    ::setenv("MUXLAB_SHELLS", MUXLAB_SOURCE_DIR "/scripts/packaging/shells", 1);
    const std::string command = "cd " + folder_.string() +
                                " && HOME=$PWD MUXLAB_COMPLETION=$PWD/script "
                                "MUXLAB_FOUND=$PWD/found && export HOME MUXLAB_COMPLETION "
                                "MUXLAB_FOUND && " +
                                GetParam().command;
    const test::Outcome outcome = test::run_shell(command);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output << "\nis there a " << GetParam().name << '?';
    return read_found();
  }

  std::map<std::string, Words> complete(const std::vector<std::string>& lines) const {
    const std::string script = test::run(std::string("completions ") + GetParam().name).output;
    return complete(script, lines);
  }

  std::filesystem::path folder_;

 private:
  std::map<std::string, Words> read_found() const {
    std::map<std::string, Words> found;
    std::string line;
    std::ifstream file(folder_ / "found");
    for (std::string text; std::getline(file, text);) {
      if (text.starts_with("line ")) {
        line = text.substr(5);
        found[line];
      } else if (!text.empty()) {
        found[line].insert(last_part(text));
      }
    }
    return found;
  }
};

TEST_P(Completions, HaveEveryVerbAndEveryOptionOfTheHelpText) {
  const std::vector<std::string> verbs = test::verbs_of_help();
  std::vector<std::string> lines = {"muxlab "};
  for (const std::string& verb : verbs) lines.push_back("muxlab " + verb + " --");
  const auto found = complete(lines);
  for (const std::string& verb : verbs) {
    EXPECT_THAT(found.at("muxlab "), Contains(verb));
    EXPECT_EQ(found.at("muxlab " + verb + " --"), test::options_of_help(verb)) << verb;
  }
}

TEST_P(Completions, OfferTheNamesThatAnOptionTakes) {
  const auto found =
      complete({"muxlab serve --notify ", "muxlab serve --notify=p", "muxlab serve --unix x --re",
                "muxlab load --connect unix:/tmp/x --engine e", "muxlab serve --threads ",
                "muxlab bench lat", "muxlab inspect beh", "muxlab completions ", "muxlab ben",
                "muxlab frobnicate ", "muxlab serve --threading ha"});
  EXPECT_THAT(found.at("muxlab serve --notify "), UnorderedElementsAre("eventfd", "pipe"));
  EXPECT_THAT(found.at("muxlab serve --notify=p"), UnorderedElementsAre("pipe"));
  EXPECT_THAT(found.at("muxlab serve --unix x --re"), UnorderedElementsAre("--rearm"));
  EXPECT_THAT(found.at("muxlab load --connect unix:/tmp/x --engine e"),
              UnorderedElementsAre("epoll"));
  EXPECT_THAT(found.at("muxlab serve --threads "), IsEmpty());
  EXPECT_THAT(found.at("muxlab bench lat"), UnorderedElementsAre("latency"));
  EXPECT_THAT(found.at("muxlab inspect beh"), UnorderedElementsAre("behaviour"));
  EXPECT_THAT(found.at("muxlab completions "), UnorderedElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(found.at("muxlab ben"), UnorderedElementsAre("bench"));
  EXPECT_THAT(found.at("muxlab frobnicate "), IsEmpty());
  EXPECT_THAT(found.at("muxlab serve --threading ha"), UnorderedElementsAre("half-sync"));
}

TEST_P(Completions, GoOnInAList) {
  const auto found = complete({"muxlab bench --backends poll,libevent-p", "muxlab bench --engine ",
                               "muxlab inspect --backends=select,thr"});
  EXPECT_THAT(found.at("muxlab bench --backends poll,libevent-p"),
              UnorderedElementsAre("libevent-poll"));
  EXPECT_THAT(found.at("muxlab bench --engine "),
              UnorderedElementsAre("auto", "epoll", "io-uring"));
  EXPECT_THAT(found.at("muxlab inspect --backends=select,thr"), UnorderedElementsAre("threads"));
}

TEST_P(Completions, OfferFilesOrFoldersWhereOneIsDue) {
  std::filesystem::create_directories(folder_ / "some/folder");
  std::ofstream(folder_ / "some/file");
  const auto found = complete({"muxlab report some/", "muxlab compare some/folder some/",
                               "muxlab serve --stats some/", "muxlab bench --out some/"});
  for (const char* line :
       {"muxlab report some/", "muxlab compare some/folder some/", "muxlab bench --out some/"}) {
    EXPECT_THAT(found.at(line), Contains("folder")) << line;
    EXPECT_THAT(found.at(line), Not(Contains("file"))) << line;
  }
  EXPECT_THAT(found.at("muxlab serve --stats some/"), UnorderedElementsAre("file", "folder"));
}

/// Checks help texts with characters that are special in a shell.
TEST_P(Completions, AreNotConfusedByWhatAHelpTextSays) {
  cli::Verb program("It's \"all\" here", "muxlab");
  const char* const help = R"(a [b]: it's $HOME, `date`, \n "c" (d) {e} % & ; | < > # ~ * ? !)";
  CLI::App& verb = cli::add_verb(program, "odd", help, [] {});
  std::string value;
  bool flag = false;
  cli::add_text(verb, "--value", value, "WORD", help).one_of({"one", "two"});
  cli::add_flag(verb, "--flag", flag, help);
  const auto found = complete(GetParam().write(describe(program)),
                              {"muxlab o", "muxlab odd --", "muxlab odd --value t"});
  EXPECT_THAT(found.at("muxlab o"), UnorderedElementsAre("odd"));
  EXPECT_THAT(found.at("muxlab odd --"), UnorderedElementsAre("--help", "--value", "--flag"));
  EXPECT_THAT(found.at("muxlab odd --value t"), UnorderedElementsAre("two"));
}

INSTANTIATE_TEST_SUITE_P(Shells, Completions, testing::ValuesIn(kShells),
                         [](const auto& shell) { return std::string(shell.param.name); });

}  // namespace
}  // namespace muxlab
