#pragma once

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/testing/program.hpp"

/// What `--help` shows: the measure of what is generated.
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

/// The lines below that heading, up to one that is empty.
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

/// The long names, as "--backend".
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
