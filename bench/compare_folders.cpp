#include "bench/compare_folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "backends/failure.hpp"
#include "bench/campaign_record.hpp"
#include "bench/comparison.hpp"
#include "bench/csv.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {
namespace {

using RecordPointer = nlohmann::ordered_json::json_pointer;

/// Without the rows that check the instrument, unless they were asked for by name.
ResultFolder read_results(const std::filesystem::path& folder) {
  if (is_sliced(folder)) {
    throw Failure(ExitCode::usage,
                  fmt::format("{} holds slices, and compare reads folders of trials: measure both "
                              "with --isolated, or as an experiment",
                              folder.string()));
  }
  const CampaignRecord record = CampaignRecord::read(folder);
  ResultFolder results{folder.string(), record.json(), trial_rows(read_csv(folder / "trials.csv"))};
  const std::vector<std::string> backends = record.backends();
  std::erase_if(results.trials, [&](const TrialRow& trial) {
    return std::ranges::count(backends, trial.cell.backend) == 0;
  });
  // Files that were written before each row told the transport have it here alone.
  const bool is_unix = results.record.value("transport", "tcp") == "unix";
  for (TrialRow& trial : results.trials) trial.cell.unix_sockets |= is_unix;
  return results;
}

/// Empty for what that folder does not tell.
std::string shown_at(const ResultFolder& results, const std::string& pointer) {
  const auto value = results.record.value(RecordPointer(pointer), nlohmann::ordered_json());
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

struct Condition {
  const char* pointer;
  const char* name;
};

/// What makes two campaigns differ although the program is the same.
constexpr std::array kConditions = {
    Condition{"/machine/cpu_model", "processors"},
    Condition{"/machine/processors_online", "numbers of processors"},
    Condition{"/machine/kernel_release", "kernels"},
    Condition{"/machine/tcp_congestion_control", "congestion controls"},
    Condition{"/machine/compiler", "compilers"},
    Condition{"/machine/build/type", "kinds of build"},
    Condition{"/machine/libraries/libc", "C libraries"},
    Condition{"/machine/libraries/libevent_library", "versions of libevent"},
    Condition{"/machine/libraries/liburing", "versions of liburing"},
    Condition{"/machine/libraries/libuv", "versions of libuv"},
    Condition{"/machine/libraries/asio", "versions of Asio"},
    Condition{"/size_bytes", "message sizes"},
    Condition{"/depth", "numbers of messages in flight"},
    Condition{"/window_ns", "windows in ns"},
    Condition{"/warmup_ns", "warm-ups in ns"},
};

std::vector<std::string> differences(const ResultFolder& before, const ResultFolder& after) {
  std::vector<std::string> lines;
  for (const Condition& condition : kConditions) {
    const std::string first = shown_at(before, condition.pointer);
    const std::string second = shown_at(after, condition.pointer);
    if (first == second || first.empty() || second.empty()) continue;
    lines.push_back(fmt::format("the {} differ: {} and {}", condition.name, first, second));
  }
  for (const ResultFolder* results : {&before, &after}) {
    const std::string status = shown_at(*results, "/run_status");
    if (status == "complete") continue;
    lines.push_back(fmt::format("the campaign in {} is {}", results->path, status));
  }
  return lines;
}

/// When nearly everything became dearer or cheaper, it is hardly because of one backend's code.
std::string common_shift(const Changes& found, double threshold) {
  std::vector<double> ratios;
  for (const Change& change : found.changes) {
    if (change.metric == Metric::server_cpu_ns_per_echo) ratios.push_back(change.ratio.ratio);
  }
  const auto spread = spread_of(ratios);
  constexpr std::size_t kFewPoints = 4;
  if (!spread || ratios.size() < kFewPoints) return {};
  const double shift = spread->median;
  const auto aside =
      std::ranges::count_if(ratios, [&](double ratio) { return (ratio > 1) == (shift > 1); });
  const bool is_common = 10 * static_cast<std::size_t>(aside) >= 9 * ratios.size();
  if (!is_common || std::max(shift, 1 / shift) <= 1 + threshold) return {};
  return fmt::format(
      "nearly all points cost {} (x{:.2f} in the middle), so that it may be the machine and not "
      "the program: measure both again, close together",
      shift > 1 ? "more" : "less", shift);
}

[[noreturn]] void refuse(const ResultFolder& before, const ResultFolder& after,
                         const std::string& reason) {
  throw Failure(ExitCode::usage,
                fmt::format("cannot compare {} with {}: {}", before.path, after.path, reason));
}

void require_common_ground(const FolderComparison& both) {
  const auto& [before, after, threshold, found, cautions] = both;
  const auto transport = [](const ResultFolder& results) {
    return results.record.value("transport", "tcp");
  };
  if (transport(before) != transport(after)) {
    refuse(before, after,
           fmt::format("one is over {}, the other over {}", transport(before), transport(after)));
  }
  if (!found.changes.empty()) return;
  if (!found.not_compared.empty()) refuse(before, after, found.not_compared.front().reason);
  refuse(before, after,
         fmt::format("no backend was measured in both with the same experiment, threads, "
                     "connections and message size ({} and {} trials)",
                     before.trials.size(), after.trials.size()));
}

}  // namespace

std::size_t FolderComparison::count(ChangeVerdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(found.changes, verdict, &Change::verdict));
}

FolderComparison compare_folders(const std::filesystem::path& before,
                                 const std::filesystem::path& after, double threshold) {
  FolderComparison both{read_results(before), read_results(after), threshold, {}, {}};
  const auto backends =
      both.before.record.at("grid").at("backends").get<std::vector<std::string>>();
  both.found = find_changes(both.before.trials, both.after.trials, backends, threshold);
  require_common_ground(both);
  both.cautions = differences(both.before, both.after);
  if (std::string shift = common_shift(both.found, threshold); !shift.empty()) {
    both.cautions.push_back(std::move(shift));
  }
  return both;
}

}  // namespace muxlab
