#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/statistics.hpp"

namespace muxlab {

/// "5.21 (4.98 to 6.03)": the median, and in brackets the least and the greatest; "-" for nothing.
std::string spread_words(const std::optional<Spread>& spread, double unit, int decimals);

/// "1 thread", "2 threads".
std::string counted(std::uint64_t count, const std::string& noun);

/// 1234567 as "1,234,567".
std::string in_groups(double value);

}  // namespace muxlab
