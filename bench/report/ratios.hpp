#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/analysis/answer.hpp"
#include "bench/report/plots.hpp"

namespace muxlab {

/// The machine of a machine.json in a few words, for captions.
std::string machine_words(const nlohmann::ordered_json& record);

/// The ratios of all loads with their intervals, as many pictures as it takes, of a few loads each:
/// plots/ratios.svg, plots/ratios-2.svg and so on, with their data beside them. Those that cannot
/// be drawn are left out.
Gallery draw_ratios(const Answer& answer, const nlohmann::ordered_json& record, Gnuplot& gnuplot);

}  // namespace muxlab
