#pragma once

#include <string>
#include <vector>

#include "server/cli/program_description.hpp"

namespace muxlab {

struct ManPage {
  std::string file;  ///< "muxlab-serve.1"
  std::string roff;  ///< see groff_man(7)
};

/// The page of the program, and then one for each verb.
std::vector<ManPage> man_pages(const ProgramDescription& program);

}  // namespace muxlab
