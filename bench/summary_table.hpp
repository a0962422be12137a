#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bench/summary.hpp"

namespace muxlab {

/// The summary for people: a block per number of threads, aligned columns, and below them what
/// limits the figures. `caution` may be empty.
std::string summary_table(std::span<const SummaryRow> rows, std::string_view caution);

}  // namespace muxlab
