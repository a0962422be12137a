#pragma once

#include <exception>

#include "bench/analysis/answer.hpp"

namespace muxlab {

/// What `bench --json` and `report --json` print; bench/report/answer.schema.json describes it.
/// `machine` is machine.json.
nlohmann::ordered_json answer_json(const Answer& answer, const nlohmann::ordered_json& machine);

/// The machine.json and records.csv of a folder, and what they say.
struct Results {
  /// Reads them. Throws Failure (usage) for files that are missing, broken or of another schema.
  explicit Results(std::filesystem::path from);

  std::filesystem::path folder;
  nlohmann::ordered_json machine;
  std::vector<RigRecord> records;
  Answer answer;
};

/// What the records.csv and machine.json of a folder say, as files beside them. The same records
/// give the same bytes, each file is the old or the new one whole, and what a function has written
/// is on the disk when it returns (fsync(2), once per file).
///
/// Nothing waits for gnuplot but pictures.
class Report {
 public:
  /// Reads them, as Results does.
  explicit Report(std::filesystem::path folder) : results_(std::move(folder)) {}

  [[nodiscard]] const Answer& answer() const { return results_.answer; }

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
  Results results_;
};

/// The answer for a terminal: a table of at most 100 columns, what it says in sentences, and how
/// far to believe it. Ends with a line feed.
std::string answer_text(const Answer& answer);

/// How far to believe it: the self-check, the machine, and what is broken, missing or unusual. One
/// line each.
std::vector<std::string> trust_notes(const Answer& answer);

/// "cheaper", "more expensive", as people and files have it.
std::string_view verdict_words(Verdict verdict);  ///< "more expensive"
std::string_view verdict_key(Verdict verdict);    ///< "more_expensive"

/// "median latency"
std::string metric_words(Metric metric);

/// "0.905 (0.883 to 0.926)": three significant digits.
std::string ratio_words(const Finding& finding);
/// "more expensive" or "unclear (at most 6 %)", with what is ruled out, or why nothing is.
std::string verdict_with_reason(const Compared& compared);

/// "io-uring 0.93, bufferevent 1.52": the contenders so far, those nearest to 1 left out; at most
/// `width` characters.
std::string interim_words(const Answer& answer, std::size_t load, std::size_t width);

}  // namespace muxlab
