#include "bench/instrument.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "bench/trial_pairs.hpp"

namespace muxlab {
namespace {

/// Of all points together: what one more call costs does not depend on them.
std::optional<PairedRatio> against_baseline(std::string_view backend,
                                            std::span<const TrialRow> trials) {
  std::vector<std::pair<double, double>> all;
  for (const TrialPairs& pairs : pair_trials(trials, backend, kBaseline)) {
    all.insert(all.end(), pairs.cpu_ns.begin(), pairs.cpu_ns.end());
  }
  return paired_ratio(all);
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
  return {against_baseline(kSameAgain, trials), against_baseline(kOneCallMore, trials)};
}

std::string instrument_text(const InstrumentCheck& check) {
  if (!is_enough(check.same_again) || !is_enough(check.one_call_more)) {
    return fmt::format(
        "The instrument is not checked: fewer than {} pairs of trials of {} with itself, or "
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
