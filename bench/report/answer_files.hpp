#pragma once

#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/analysis/answer.hpp"
#include "bench/data/records.hpp"

namespace muxlab {

/// What `bench --json` and `report --json` print; bench/report/answer.schema.json describes it.
/// `machine` is machine.json.
nlohmann::ordered_json answer_json(const Answer& answer, const nlohmann::ordered_json& machine);

/// What the records.csv and machine.json of a folder say, as files beside them. The same records
/// give the same bytes, each file is the old or the new one whole, and what a function has written
/// is on the disk when it returns (fsync(2), once per file).
///
/// Nothing waits for gnuplot but pictures.
class Report {
 public:
  /// Reads them. Throws Failure (usage) for files that are missing, broken or of another schema.
  explicit Report(std::filesystem::path folder);

  [[nodiscard]] const Answer& answer() const { return answer_; }

  /// What became of it.
  struct Made {
    std::string missing;         ///< which pictures and why, in one line; empty: none
    std::exception_ptr failure;  ///< the first; null: none
  };
  /// Does the three steps below in their order, the last one if `is_drawn`, whichever of them
  /// fails.
  [[nodiscard]] Made make(bool as_json, int interrupt, bool is_drawn) const;

  /// Makes comparisons.csv, summary.csv, and report.md and report.html without pictures. Throws
  /// Failure (unavailable) when the folder cannot be written.
  void write() const;
  /// Prints the answer to stdout. Gives up when its reader takes nothing and the descriptor
  /// `interrupt` becomes readable (-1: never; borrowed). Throws Failure (unavailable) when stdout
  /// does not take all of it.
  void print(bool as_json, int interrupt) const;
  /// Draws the pictures in plots/ and makes report.md and report.html with them. Ends early when
  /// `interrupt` becomes readable. Returns in one line which pictures are missing and why. Throws
  /// Failure (unavailable) when the pages cannot be written.
  [[nodiscard]] std::string draw(int interrupt) const;

 private:
  std::filesystem::path folder_;
  nlohmann::ordered_json record_;
  std::vector<RigRecord> records_;
  Answer answer_;
};

}  // namespace muxlab
