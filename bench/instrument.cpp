#include "bench/instrument.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

namespace muxlab {
namespace {

using RoundAtPoint = std::pair<std::uint64_t, Point>;

std::map<RoundAtPoint, double> cpu_of(std::string_view backend, std::span<const TrialRow> trials) {
  std::map<RoundAtPoint, double> cpu_ns;
  for (const TrialRow& trial : trials) {
    if (trial.cell.backend != backend || trial.outcome.status != TrialStatus::ok) continue;
    cpu_ns[{trial.round, point_of(trial.cell)}] =
        trial.outcome.metrics[Metric::server_cpu_ns_per_echo];
  }
  return cpu_ns;
}

std::optional<PairedRatio> against(const std::map<RoundAtPoint, double>& baseline,
                                   std::string_view backend, std::span<const TrialRow> trials) {
  std::vector<std::pair<double, double>> pairs;
  for (const auto& [where, cpu_ns] : cpu_of(backend, trials)) {
    const auto other = baseline.find(where);
    if (other != baseline.end()) pairs.emplace_back(cpu_ns, other->second);
  }
  return paired_ratio(pairs);
}

bool is_enough(const std::optional<PairedRatio>& ratio) {
  return ratio && ratio->pairs >= kFewestPairs;
}

bool differs(const PairedRatio& ratio) { return ratio.p <= kSignificant; }

bool is_noticed(const PairedRatio& ratio) { return differs(ratio) && ratio.ratio > 1; }

std::string shown(const PairedRatio& ratio) {
  return fmt::format("x{:.3f} ({:.3f} to {:.3f}, {} pairs)", ratio.ratio, ratio.interval.low,
                     ratio.interval.high, ratio.pairs);
}

}  // namespace

bool InstrumentCheck::is_sound() const {
  return is_enough(same_again) && is_enough(one_call_more) && !differs(*same_again) &&
         is_noticed(*one_call_more);
}

bool InstrumentCheck::is_refuted() const {
  return is_enough(same_again) && is_enough(one_call_more) && !is_sound();
}

InstrumentCheck check_instrument(std::span<const TrialRow> trials) {
  const auto baseline = cpu_of(kBaseline, trials);
  return {against(baseline, kSameAgain, trials), against(baseline, kOneCallMore, trials)};
}

std::string instrument_text(const InstrumentCheck& check) {
  if (!is_enough(check.same_again) || !is_enough(check.one_call_more)) {
    return fmt::format(
        "The instrument is not checked: fewer than {} undisturbed pairs of {} with itself, or "
        "with itself and one system call more per echo.\n",
        kFewestPairs, kBaseline);
  }
  return fmt::format(
      "{}Server CPU per echo of {} against itself: {}, {}.\n"
      "With one system call more per echo: {}, {}.\n",
      check.is_sound() ? "" : "NOT TO BE TRUSTED: the instrument fails its check.\n", kBaseline,
      shown(*check.same_again),
      differs(*check.same_again) ? "A DIFFERENCE WHERE THERE IS NONE"
                                 : "no difference, as it should be",
      shown(*check.one_call_more),
      is_noticed(*check.one_call_more) ? "noticed, as it should be" : "NOT NOTICED");
}

}  // namespace muxlab
