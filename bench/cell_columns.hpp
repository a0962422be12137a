#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/experiment.hpp"

namespace muxlab {

/// The columns that say which cell a record is of, and what they hold; alike in every file.
std::vector<std::string> cell_header();
std::vector<std::string> cell_fields(const Cell& cell);

/// Words for a cell: "2 threads (reuseport)"; and ", 1024 B, 20k/s" or the like.
std::string describe_threads(const Cell& cell);
std::string describe_what_is_unusual(const Cell& cell);

/// "1 thread", "2 threads".
std::string counted(std::uint64_t count, const std::string& noun);

/// 1234567 as "1,234,567".
std::string in_groups(double value);

}  // namespace muxlab
