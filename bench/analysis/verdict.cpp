#include "bench/analysis/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "bench/data/statistics.hpp"

namespace muxlab {
namespace {

/// Of one block, in the scale of the trimmed mean: divided by the number of blocks it is the
/// variance of that (Tukey and McLaughlin, 1963).
double scaled_variance(const RigSummary& rig) {
  constexpr double kKept = 1 - 2 * kTrimmedShare;
  return rig.winsorised_variance / (kKept * kKept);
}

/// Sorted values without a tenth of them at either end. A tenth of 15 values is one and a half: the
/// first is left out, and the next has half of its weight.
struct Trimmed {
  double mean = 0;
  double low = 0;   // winsorising moves values below it up to it
  double high = 0;  // and those above it down
};

Trimmed trim(std::span<const double> sorted) {
  const auto count = static_cast<double>(sorted.size());
  if (sorted.size() < 3) {
    return {std::accumulate(sorted.begin(), sorted.end(), 0.0) / count, sorted.front(),
            sorted.back()};
  }
  const auto gone = static_cast<std::size_t>(kTrimmedShare * count);
  const double part = kTrimmedShare * count - static_cast<double>(gone);
  const auto kept = sorted.subspan(gone, sorted.size() - 2 * gone);
  const double sum =
      std::accumulate(kept.begin(), kept.end(), 0.0) - part * (kept.front() + kept.back());
  return {.mean = sum / (count - 2 * kTrimmedShare * count),
          .low = (1 - part) * kept.front() + part * kept[1],
          .high = (1 - part) * kept.back() + part * kept[kept.size() - 2]};
}

/// Returns the mean of `value` over rigs with two blocks or more, weighted by degrees of freedom.
template <typename Value>
double pooled_within(std::span<const RigSummary> rigs, Value value) {
  double sum = 0, degrees = 0;
  for (const RigSummary& rig : rigs) {
    if (rig.blocks < 2) continue;
    sum += static_cast<double>(rig.blocks - 1) * value(rig);
    degrees += static_cast<double>(rig.blocks - 1);
  }
  return degrees > 0 ? sum / degrees : 0;
}

double weighted_mean(std::span<const RigSummary> rigs) {
  double sum = 0, blocks = 0;
  for (const RigSummary& rig : rigs) {
    sum += static_cast<double>(rig.blocks) * rig.trimmed_mean;
    blocks += static_cast<double>(rig.blocks);
  }
  return blocks > 0 ? sum / blocks : 0;
}

std::uint64_t rigs_with_blocks(std::span<const RigSummary> rigs) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(rigs, [](const RigSummary& rig) { return rig.blocks > 0; }));
}

/// A variance relative to the expected one, and its degrees of freedom.
struct Excess {
  double ratio = 0;
  double degrees = 0;
};

Excess excess_of_rigs(std::span<const RigSummary> rigs) {
  const double expected = pooled_within(rigs, scaled_variance);
  const std::uint64_t count = rigs_with_blocks(rigs);
  if (count < 2 || expected <= 0) return {};
  const double mean = weighted_mean(rigs);
  double squares = 0;
  for (const RigSummary& rig : rigs) {
    squares += static_cast<double>(rig.blocks) * std::pow(rig.trimmed_mean - mean, 2);
  }
  const auto degrees = static_cast<double>(count - 1);
  return {.ratio = squares / degrees / expected, .degrees = degrees};
}

Excess excess_of_stretches(std::span<const RigSummary> rigs) {
  const double expected =
      pooled_within(rigs, [](const RigSummary& rig) { return rig.winsorised_variance; });
  double squares = 0, degrees = 0;
  for (const RigSummary& rig : rigs) {
    if (rig.stretches < 2) continue;
    squares += static_cast<double>(rig.stretches - 1) * rig.stretch_variance;
    degrees += static_cast<double>(rig.stretches - 1);
  }
  if (degrees == 0 || expected <= 0) return {};
  return {.ratio = squares / degrees / expected, .degrees = degrees};
}

/// The mean over comparisons. Comparisons with a correlation r have estimates of variance with a
/// correlation of r squared, and with v instances of the baseline r is 1 / (v + 1).
Excess averaged(std::span<const Excess> all, std::uint64_t instances) {
  Excess sum;
  double count = 0;
  for (const Excess& one : all) {
    if (one.degrees == 0) continue;
    sum.ratio += one.ratio;
    sum.degrees += one.degrees;
    ++count;
  }
  if (count == 0) return {};
  const double correlation = 1 / static_cast<double>(instances + 1);
  const double independent = count / (1 + (count - 1) * correlation * correlation);
  return {.ratio = sum.ratio / count, .degrees = sum.degrees / count * independent};
}

}  // namespace

RigSummary summarize(std::span<const double> log_ratios, std::span<const double> at_s) {
  RigSummary rig{.blocks = log_ratios.size()};
  if (log_ratios.empty()) return rig;
  const auto count = static_cast<double>(log_ratios.size());
  std::vector<double> sorted(log_ratios.begin(), log_ratios.end());
  std::ranges::sort(sorted);
  const Trimmed trimmed = trim(sorted);
  rig.trimmed_mean = trimmed.mean;

  std::vector<double> winsorised(log_ratios.begin(), log_ratios.end());
  for (double& value : winsorised) value = std::clamp(value, trimmed.low, trimmed.high);
  const double mean = std::accumulate(winsorised.begin(), winsorised.end(), 0.0) / count;
  for (const double value : winsorised) rig.winsorised_variance += std::pow(value - mean, 2);
  rig.winsorised_variance = log_ratios.size() > 1 ? rig.winsorised_variance / (count - 1) : 0;

  double squares = 0;
  for (std::size_t begin = 0; begin < winsorised.size();) {
    std::size_t end = begin + 1;
    while (end < winsorised.size() && at_s[end] - at_s[begin] < kStretch_s) ++end;
    const auto blocks = static_cast<double>(end - begin);
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += winsorised[i];
    squares += blocks * std::pow(sum / blocks - mean, 2);
    ++rig.stretches;
    begin = end;
  }
  // If each block takes a second, stretches are blocks and add no information.
  if (rig.stretches == rig.blocks) rig.stretches = 0;
  if (rig.stretches > 1) rig.stretch_variance = squares / static_cast<double>(rig.stretches - 1);
  return rig;
}

Inflation inflation_of(std::span<const std::vector<RigSummary>> comparisons,
                       std::uint64_t instances) {
  std::vector<Excess> rigs, stretches;
  Inflation inflation;
  for (const std::vector<RigSummary>& comparison : comparisons) {
    rigs.push_back(excess_of_rigs(comparison));
    stretches.push_back(excess_of_stretches(comparison));
    inflation.rigs = std::max(inflation.rigs, rigs_with_blocks(comparison));
  }
  const Excess of_rigs = averaged(rigs, instances);
  const Excess of_stretches = averaged(stretches, instances);
  const Excess& larger = of_stretches.ratio > of_rigs.ratio ? of_stretches : of_rigs;
  inflation.f = std::max(1.0, larger.ratio);
  inflation.degrees = std::max(1.0, larger.degrees);
  return inflation;
}

Inflation inflation_with(const Inflation& own, std::span<const Inflation> others) {
  if (own.rigs >= kFewestRigs || others.empty()) return own;
  Inflation inflation = *std::ranges::max_element(others, {}, &Inflation::f);
  if (own.f > inflation.f) return own;
  inflation.rigs = own.rigs;
  return inflation;
}

Estimate estimate_of(std::span<const RigSummary> rigs, const Inflation& inflation) {
  Estimate estimate{.log_ratio = weighted_mean(rigs),
                    .degrees = inflation.degrees,
                    .rigs = rigs_with_blocks(rigs)};
  double own_degrees = 0;  // of the variance, of blocks that are not trimmed
  for (const RigSummary& rig : rigs) {
    estimate.blocks += rig.blocks;
    if (rig.blocks > 0) {
      own_degrees += (1 - 2 * kTrimmedShare) * static_cast<double>(rig.blocks) - 1;
    }
  }
  estimate.degrees = std::max(1.0, std::min(estimate.degrees, own_degrees));
  const double variance = pooled_within(rigs, scaled_variance);
  estimate.standard_error =
      variance > 0 ? std::sqrt(inflation.f * variance / static_cast<double>(estimate.blocks))
                   : std::numeric_limits<double>::infinity();
  return estimate;
}

Verdict verdict_of(const Finding& finding, double same_within) {
  const double margin = 1 + same_within;
  if (finding.low >= 1 / margin && finding.high <= margin) return Verdict::same;
  if (finding.high < 1) return Verdict::cheaper;
  return finding.low > 1 ? Verdict::more_expensive : Verdict::unclear;
}

Finding judge(const Estimate& estimate, std::size_t look, const Rule& rule) {
  const double error = kFamilyError / static_cast<double>(rule.family) * kLookErrors[look];
  const double reach = t_exceeded_by(error, estimate.degrees) * estimate.standard_error;
  Finding finding{.ratio = std::exp(estimate.log_ratio),
                  .low = std::exp(estimate.log_ratio - reach),
                  .high = std::exp(estimate.log_ratio + reach)};
  finding.verdict = verdict_of(finding, rule.same_within);
  return finding;
}

bool is_enough(const Estimate& estimate, std::size_t look) {
  const bool is_last = look + 1 == kLookErrors.size();
  return estimate.blocks >= kFewestBlocks && estimate.rigs >= (is_last ? 2 : kFewestRigs);
}

std::optional<Finding> pool(std::span<const Estimate> estimates, std::span<const Finding> cells,
                            const Rule& rule) {
  if (estimates.size() < 2) return std::nullopt;
  Estimate mean{.degrees = std::numeric_limits<double>::infinity()};
  const auto count = static_cast<double>(estimates.size());
  double variance = 0;
  for (const Estimate& one : estimates) {
    mean.log_ratio += one.log_ratio / count;
    variance += one.standard_error * one.standard_error;
    mean.degrees = std::min(mean.degrees, one.degrees);
  }
  mean.standard_error = std::sqrt(variance) / count;
  Finding pooled = judge(mean, kLookErrors.size() - 1, rule);
  const auto [least, most] = std::ranges::minmax(cells, {}, &Finding::ratio);
  const bool is_one = std::ranges::all_of(cells, [&](const Finding& cell) {
    return cell.verdict == pooled.verdict ||
           (cell.low <= pooled.ratio && pooled.ratio <= cell.high);
  });
  if (!is_one || most.ratio > kPooledSpread * least.ratio) pooled.verdict = Verdict::depends;
  return pooled;
}

}  // namespace muxlab
