#pragma once

#include <string>
#include <vector>

#include "bench/experiment.hpp"

namespace muxlab {

/// The columns that say which cell a record is of, and what they hold; alike in every file.
std::vector<std::string> cell_header();
std::vector<std::string> cell_fields(const Cell& cell);

/// "2 threads (reuseport), 1k connections and 9k idle", with what else is not as usual.
std::string describe_point(const Cell& cell);

}  // namespace muxlab
