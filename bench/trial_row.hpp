#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/csv.hpp"
#include "bench/trial.hpp"

namespace muxlab {

/// One line of trials.csv: which trial, and how it went.
struct TrialRow {
  std::uint64_t round = 0;  ///< from 1
  std::uint64_t order = 0;  ///< from 1: the place in its round
  std::uint64_t attempt =
      1;  ///< more than 1: measured again, as the attempts before were disturbed
  std::string experiment;
  Cell cell;
  TrialOutcome outcome;
};

/// The header of trials.csv and a row below it, as records. A metric that was not measured is an
/// empty field; a number is written with as many digits as it takes to read it back unchanged.
std::vector<std::string> trial_header();
std::vector<std::string> trial_record(const TrialRow& row);

/// The inverse. A column that was added to the format later may be missing. Throws Failure (usage)
/// for another one that is, or a field that cannot be.
std::vector<TrialRow> trial_rows(const CsvTable& table);

/// "ok", "failed", "unsupported" or "untrusted".
std::string_view status_name(TrialStatus status);

/// Empty for NaN.
std::string number_field(double value);

}  // namespace muxlab
