#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bench/statistics.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

/// What others are compared with, the same once more under another name, and the same with one more
/// system call per echo. An instrument that finds a difference between the first two, or none
/// between the first and the third, is not to be believed about the others.
inline constexpr std::string_view kBaseline = "epoll-lt";
inline constexpr std::string_view kSameAgain = "epoll-lt-again";
inline constexpr std::string_view kOneCallMore = "epoll-lt-extra-call";
inline constexpr std::array kInstrumentRows = {kBaseline, kSameAgain, kOneCallMore};

/// What a campaign found out about its own instrument: server CPU per echo against the baseline, of
/// all points together. Nothing where it has no pairs of rounds to compare.
struct InstrumentCheck {
  std::optional<PairedRatio> same_again;
  std::optional<PairedRatio> one_call_more;

  /// Enough pairs, no difference where there is none, and the one that is there is seen.
  [[nodiscard]] bool is_sound() const;
  /// Enough pairs, and something is wrong.
  [[nodiscard]] bool is_refuted() const;
};

InstrumentCheck check_instrument(std::span<const TrialRow> trials);

/// What to say above all figures: what was found, and whether to believe the rest.
std::string instrument_text(const InstrumentCheck& check);

}  // namespace muxlab
