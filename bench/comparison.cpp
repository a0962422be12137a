#include "bench/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "bench/csv.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using Record = std::vector<std::string>;

constexpr double kSignificant = 0.05;

/// Everything that cells have to have in common to be compared.
auto point_of(const Cell& cell) {
  return std::tuple(cell.threads, cell.threading, cell.idle, cell.connections);
}
using Point = decltype(point_of(Cell{}));

/// CPU time per echo by round; NaN where it was not measured.
struct Measured {
  Cell cell;
  std::map<std::uint64_t, double> cpu_ns;
};

std::map<Point, std::vector<Measured>> by_point(std::span<const TrialRow> trials,
                                                std::span<const std::string> backends) {
  std::map<Point, std::vector<Measured>> points;
  for (const TrialRow& trial : trials) {
    if (trial.outcome.status != TrialStatus::ok) continue;
    std::vector<Measured>& cells = points[point_of(trial.cell)];
    auto found = std::ranges::find(cells, trial.cell, &Measured::cell);
    if (found == cells.end()) found = cells.insert(cells.end(), {trial.cell, {}});
    found->cpu_ns[trial.round] = trial.outcome.metrics[Metric::server_cpu_ns_per_echo];
  }
  const auto place = [&](const Measured& measured) {
    return std::ranges::find(backends, measured.cell.backend) - backends.begin();
  };
  for (auto& [point, cells] : points) std::ranges::stable_sort(cells, {}, place);
  return points;
}

std::optional<PairedRatio> ratio_of(const Measured& cell, const Measured& baseline) {
  std::vector<std::pair<double, double>> pairs;
  for (const auto& [round, cpu_ns] : cell.cpu_ns) {
    const auto other = baseline.cpu_ns.find(round);
    if (other != baseline.cpu_ns.end()) pairs.emplace_back(cpu_ns, other->second);
  }
  return paired_ratio(pairs);
}

Verdict verdict_of(const Comparison& comparison) {
  const bool is_certain =
      comparison.ratio.pairs >= kFewestPairs && comparison.p_of_all <= kSignificant;
  if (!is_certain) return Verdict::cannot_tell;
  return comparison.ratio.ratio < 1 ? Verdict::cheaper : Verdict::dearer;
}

std::string point_text(const Cell& cell) {
  std::string text = fmt::format("{} thread{}, {} connections", cell.threads,
                                 cell.threads == 1 ? "" : "s", cli::show_count(cell.connections));
  if (cell.idle > 0) text += fmt::format(" and {} idle", cli::show_count(cell.idle));
  return text;
}

std::string shown(const Comparison& comparison) {
  if (comparison.verdict == Verdict::cannot_tell) return comparison.cell.backend;
  const PairedRatio& ratio = comparison.ratio;
  return fmt::format("{} x{:.2f} ({:.2f} to {:.2f})", comparison.cell.backend, ratio.ratio,
                     ratio.interval.low, ratio.interval.high);
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  constexpr std::array<std::string_view, 3> kNames = {"cheaper", "dearer", "cannot tell"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::vector<Comparison> compare(std::span<const TrialRow> trials,
                                std::span<const std::string> backends) {
  std::vector<Comparison> comparisons;
  for (const auto& [point, cells] : by_point(trials, backends)) {
    const auto usual = std::ranges::find(cells, "epoll-lt", [](const Measured& measured) {
      return std::string_view(measured.cell.backend);
    });
    const Measured& baseline = usual == cells.end() ? cells.front() : *usual;
    for (const Measured& cell : cells) {
      if (&cell == &baseline) continue;
      const auto ratio = ratio_of(cell, baseline);
      if (ratio) comparisons.push_back({cell.cell, baseline.cell.backend, *ratio});
    }
  }
  std::vector<double> alone;
  for (const Comparison& comparison : comparisons) alone.push_back(comparison.ratio.p);
  const std::vector<double> corrected = corrected_for_many(alone);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    comparisons[i].p_of_all = corrected[i];
    comparisons[i].verdict = verdict_of(comparisons[i]);
  }
  return comparisons;
}

std::string comparisons_csv(std::span<const Comparison> comparisons) {
  std::string text = csv_record(Record{"metric", "baseline", "backend", "threading", "threads",
                                       "connections", "idle", "pairs", "ratio", "ratio_low",
                                       "ratio_high", "p", "p_of_all", "verdict"});
  for (const Comparison& comparison : comparisons) {
    const Cell& cell = comparison.cell;
    const PairedRatio& ratio = comparison.ratio;
    text += csv_record(Record{
        "server_cpu_ns_per_echo", comparison.baseline, cell.backend, cell.threading,
        fmt::to_string(cell.threads), fmt::to_string(cell.connections), fmt::to_string(cell.idle),
        fmt::to_string(ratio.pairs), number_field(ratio.ratio), number_field(ratio.interval.low),
        number_field(ratio.interval.high), number_field(ratio.p), number_field(comparison.p_of_all),
        std::string(verdict_name(comparison.verdict))});
  }
  return text;
}

std::string comparison_text(std::span<const Comparison> comparisons) {
  if (comparisons.empty()) return {};
  std::string text = "\nServer CPU per echo, with the interval of 95 %:\n";
  const Comparison* first = nullptr;  // of its point
  for (const Comparison& comparison : comparisons) {
    if (first != nullptr && point_of(first->cell) == point_of(comparison.cell)) continue;
    first = &comparison;
    text += fmt::format("  {}, against {}\n", point_text(comparison.cell), comparison.baseline);
    for (const Verdict verdict : {Verdict::cheaper, Verdict::dearer, Verdict::cannot_tell}) {
      std::string names;
      for (const Comparison& other : comparisons) {
        if (point_of(other.cell) != point_of(comparison.cell) || other.verdict != verdict) continue;
        names += (names.empty() ? "" : ", ") + shown(other);
      }
      if (!names.empty()) text += fmt::format("    {:<12} {}\n", verdict_name(verdict), names);
    }
  }
  const bool are_few = std::ranges::any_of(comparisons, [](const Comparison& comparison) {
    return comparison.ratio.pairs < kFewestPairs;
  });
  if (are_few) {
    text += fmt::format("  With fewer than {} trials of each it cannot be told.\n", kFewestPairs);
  }
  return text;
}

}  // namespace muxlab
