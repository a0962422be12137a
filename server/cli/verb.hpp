#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "server/cli/cli.hpp"

namespace muxlab::cli {

/// A verb, with data that CLI11 has no place for. Only for cli.cpp and the description of verbs.
struct Verb : CLI::App {
  using CLI::App::App;
  std::map<const CLI::Option*, std::vector<std::string>> names;  ///< of the values of an option
};

}  // namespace muxlab::cli
