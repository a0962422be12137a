#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "bench/report/plots.hpp"
#include "bench/report_document.hpp"

namespace muxlab {

/// Draws all pictures of `rows`, which `folder`/summary.csv holds, as files of `folder`/plots:
/// those of one kind in one gallery. Throws as draw_plot() does.
std::vector<Gallery> draw_pictures(const std::filesystem::path& folder,
                                   std::span<const SummaryRow> rows, const PlotFrame& frame);

}  // namespace muxlab
