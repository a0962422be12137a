#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "backends/unique_fd.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

/// Makes `folder` and what leads to it. Throws Failure (usage) when it holds anything already: a
/// campaign never mixes with or overwrites another.
void make_result_folder(const std::filesystem::path& folder);

/// Replaces `file` with `text` in one step, so that a reader finds the old or the new one whole.
/// Throws Failure (unavailable) when it cannot be written.
void write_whole(const std::filesystem::path& file, std::string_view text);

/// The text of `file`. Throws Failure (usage) when it cannot be read.
std::string read_whole(const std::filesystem::path& file);

/// trials.csv while a campaign runs: each row is on its way to the disk when append() returns, and
/// whoever reads in between finds whole lines only.
class TrialsFile {
 public:
  /// Creates `file` with its header, or goes on with the one that is there. Throws Failure
  /// (unavailable) when that fails.
  enum class Open { create, go_on };
  TrialsFile(std::filesystem::path file, Open open);
  void append(const TrialRow& row);

 private:
  void write(const std::string& line);

  std::filesystem::path file_;
  UniqueFd fd_;
};

}  // namespace muxlab
