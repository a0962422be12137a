#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "bench/csv.hpp"
#include "bench/summary.hpp"

namespace muxlab {

/// What kept each point from being faster.
class Limiters {
 public:
  /// `trials` is trials.csv, as rows and as it stands: where it has a column `limiter` or
  /// `contended` that is what counts, and otherwise what the processors say.
  Limiters(const CsvTable& table, std::span<const TrialRow> trials);

  /// In a few words: what most of its trials say. Empty for a point without a trial that is ok.
  [[nodiscard]] std::string of(const SummaryRow& row) const;

  /// Whether something else wanted the server's processor.
  [[nodiscard]] bool is_contended(const SummaryRow& row) const;
  [[nodiscard]] std::size_t count_contended(std::span<const SummaryRow> rows) const;

 private:
  struct Said {
    Cell cell;
    std::uint64_t size_bytes = 0;
    std::uint64_t depth = 0;
    std::map<std::string, std::size_t> limiters;
    std::size_t contended = 0;
    std::size_t trials = 0;
  };
  /// For a row of trials.csv or of summary.csv; null for one without a trial that is ok.
  [[nodiscard]] const Said* find(const auto& row) const;

  bool has_limiter_ = false;
  bool has_contended_ = false;
  std::vector<Said> said_;
};

}  // namespace muxlab
