#include "bench/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "bench/cell_columns.hpp"
#include "bench/csv.hpp"
#include "bench/instrument.hpp"
#include "bench/trial_pairs.hpp"

namespace muxlab {
namespace {

using Record = std::vector<std::string>;

TrialVerdict verdict_of(const Comparison& comparison) {
  const bool is_certain =
      comparison.ratio.pairs >= kFewestPairs && comparison.p_of_all <= kSignificant;
  if (!is_certain) return TrialVerdict::cannot_tell;
  return comparison.ratio.ratio < 1 ? TrialVerdict::cheaper : TrialVerdict::dearer;
}

std::string shown(const Comparison& comparison) {
  if (comparison.verdict == TrialVerdict::cannot_tell) return comparison.cell.backend;
  const PairedRatio& ratio = comparison.ratio;
  return fmt::format("{} x{:.2f} ({:.2f} to {:.2f})", comparison.cell.backend, ratio.ratio,
                     ratio.interval.low, ratio.interval.high);
}

/// The usual one, or the first where that is not asked for.
std::string_view baseline_of(std::span<const std::string> backends) {
  if (backends.empty() || std::ranges::count(backends, kBaseline) > 0) return kBaseline;
  return backends.front();
}

}  // namespace

std::string_view verdict_name(TrialVerdict verdict) {
  constexpr std::array<std::string_view, 3> kNames = {"cheaper", "dearer", "cannot tell"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::vector<Comparison> compare(std::span<const TrialRow> trials,
                                std::span<const std::string> backends) {
  const std::string_view baseline = baseline_of(backends);
  std::map<Point, std::vector<Comparison>> at;
  for (const std::string& backend : backends) {
    if (backend == baseline) continue;
    for (const TrialPairs& pairs : pair_trials(trials, backend, baseline)) {
      const std::optional<PairedRatio> ratio = paired_ratio(pairs.cpu_ns);
      if (ratio) at[point_of(pairs.cell)].push_back({pairs.cell, std::string(baseline), *ratio});
    }
  }
  std::vector<Comparison> comparisons;
  for (const auto& [point, here] : at) {
    comparisons.insert(comparisons.end(), here.begin(), here.end());
  }
  std::vector<double> alone;
  alone.reserve(comparisons.size());
  for (const Comparison& comparison : comparisons) alone.push_back(comparison.ratio.p);
  const std::vector<double> corrected = corrected_for_many(alone);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    comparisons[i].p_of_all = corrected[i];
    comparisons[i].verdict = verdict_of(comparisons[i]);
  }
  return comparisons;
}

std::string comparisons_csv(std::span<const Comparison> comparisons) {
  Record header = {"metric", "baseline"};
  const Record cell = cell_header();
  header.insert(header.end(), cell.begin(), cell.end());
  header.insert(header.end(),
                {"pairs", "ratio", "ratio_low", "ratio_high", "p", "p_of_all", "verdict"});
  std::string text = csv_record(header);
  for (const Comparison& comparison : comparisons) {
    const PairedRatio& ratio = comparison.ratio;
    Record record = {"server_cpu_ns_per_echo", comparison.baseline};
    const Record fields = cell_fields(comparison.cell);
    record.insert(record.end(), fields.begin(), fields.end());
    record.insert(
        record.end(),
        {fmt::to_string(ratio.pairs), number_field(ratio.ratio), number_field(ratio.interval.low),
         number_field(ratio.interval.high), number_field(ratio.p),
         number_field(comparison.p_of_all), std::string(verdict_name(comparison.verdict))});
    text += csv_record(record);
  }
  return text;
}

namespace {

/// Of one point: who is cheaper, who dearer, and of whom it cannot be told.
std::string verdicts_text(std::span<const Comparison> comparisons) {
  std::string text;
  for (const TrialVerdict verdict :
       {TrialVerdict::cheaper, TrialVerdict::dearer, TrialVerdict::cannot_tell}) {
    std::string names;
    for (const Comparison& comparison : comparisons) {
      if (comparison.verdict != verdict) continue;
      names += (names.empty() ? "" : ", ") + shown(comparison);
    }
    if (!names.empty()) text += fmt::format("    {:<12} {}\n", verdict_name(verdict), names);
  }
  return text;
}

}  // namespace

std::string comparison_text(std::span<const Comparison> comparisons) {
  if (comparisons.empty()) return {};
  std::string text = "\nServer CPU per echo, with the interval of 95 %:\n";
  for (std::size_t begin = 0, end = 0; begin < comparisons.size(); begin = end) {
    const Comparison& first = comparisons[begin];
    const auto is_here = [&](const Comparison& other) {
      return point_of(other.cell) == point_of(first.cell);
    };
    while (end < comparisons.size() && is_here(comparisons[end])) ++end;
    text += fmt::format("  {}, against {}\n{}", describe_point(first.cell), first.baseline,
                        verdicts_text(comparisons.subspan(begin, end - begin)));
  }
  const bool are_few = std::ranges::any_of(comparisons, [](const Comparison& comparison) {
    return comparison.ratio.pairs < kFewestPairs;
  });
  if (are_few) {
    text += fmt::format("  With fewer than {} pairs of trials it cannot be told.\n", kFewestPairs);
  }
  return text;
}

}  // namespace muxlab
