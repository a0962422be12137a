#pragma once

#include <exception>

#include "bench/analysis/answer.hpp"

namespace muxlab {

/// Returns the output of `bench --json` and `report --json`. bench/report/answer.schema.json
/// describes it. `machine` is the content of machine.json.
nlohmann::ordered_json answer_json(const Answer& answer, const nlohmann::ordered_json& machine);

/// The machine.json and records.csv of a folder, and their answer.
struct Results {
  /// Reads them. Throws Failure (usage) for files that are missing, broken or of another schema.
  explicit Results(std::filesystem::path from);

  std::filesystem::path folder;
  nlohmann::ordered_json machine;
  std::vector<RigRecord> records;
  Answer answer;
};

/// Makes the report of a folder from its records.csv and machine.json, in the same folder. The same
/// records give the same bytes. Each file is replaced atomically. Written files are on disk when a
/// function returns (fsync(2), once per file).
///
/// Only pictures wait for gnuplot.
class Report {
 public:
  /// Reads both files. Throws as Results does.
  explicit Report(std::filesystem::path folder) : results_(std::move(folder)) {}

  [[nodiscard]] const Answer& answer() const { return results_.answer; }

  /// The outcome of make().
  struct Made {
    std::string missing;         ///< which pictures and why, in one line; empty: none
    std::exception_ptr failure;  ///< the first; null: none
  };
  /// Runs the three steps below in order, draw() only if `is_drawn`. A failed step does not stop
  /// the next.
  [[nodiscard]] Made make(bool as_json, int interrupt, bool is_drawn) const;

  /// Writes comparisons.csv, summary.csv, and report.md and report.html without pictures. Throws
  /// Failure (unavailable) when the folder cannot be written.
  void write() const;
  /// Prints the answer to stdout. Gives up when its reader does not read and the descriptor
  /// `interrupt` becomes readable (-1: never; borrowed). Throws Failure (unavailable) when stdout
  /// does not take the whole answer.
  void print(bool as_json, int interrupt) const;
  /// Draws the pictures in plots/ and writes report.md and report.html with them. Ends early when
  /// `interrupt` becomes readable. Returns in one line which pictures are missing and why. Throws
  /// Failure (unavailable) when the pages cannot be written.
  [[nodiscard]] std::string draw(int interrupt) const;

 private:
  Results results_;
};

/// Returns the answer for a terminal: a table of at most 100 columns, its findings in sentences,
/// and the trust notes. Ends with a line feed.
std::string answer_text(const Answer& answer);

/// Returns notes on how far to trust the answer: the self-check, the machine, and anything broken,
/// missing or unusual. One line each.
std::vector<std::string> trust_notes(const Answer& answer);

/// Names a verdict for people and for files.
std::string_view verdict_words(Verdict verdict);  ///< "more expensive"
std::string_view verdict_key(Verdict verdict);    ///< "more_expensive"

/// "median latency"
std::string metric_words(Metric metric);

/// "0.905 (0.883 to 0.926)": three significant digits.
std::string ratio_words(const Finding& finding);
/// "more expensive" or "unclear (at most 6 %)": in brackets the ruled-out difference, or why no
/// difference is ruled out.
std::string verdict_with_reason(const Compared& compared);

/// "io-uring 0.93, bufferevent 1.52": the contenders so far in at most `width` characters. Leaves
/// out those nearest to 1.
std::string interim_words(const Answer& answer, std::size_t load, std::size_t width);

}  // namespace muxlab
