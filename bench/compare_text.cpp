#include "bench/compare_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/cell_columns.hpp"

namespace muxlab {
namespace {

using Object = nlohmann::ordered_json;

constexpr int kComparisonSchema = 1;
constexpr std::array kVerdicts = {ChangeVerdict::regressed, ChangeVerdict::improved,
                                  ChangeVerdict::same, ChangeVerdict::cannot_tell};

std::string_view column_of(Metric metric) { return kMetricNames[static_cast<std::size_t>(metric)]; }

std::string title_of(Metric metric) {
  switch (metric) {
    case Metric::server_cpu_ns_per_echo:
      return "Server CPU per echo (less is better)";
    case Metric::syscalls_per_echo:
      return "System calls per echo (less is better)";
    default:
      return "Echoes per second (more is better)";
  }
}

/// All of a point but the backend.
std::string place_of(const MeasuredPoint& point) {
  return fmt::format("{}, {}", point.experiment, describe_point(point.cell));
}

std::string shown_change(const Change& change) {
  const bool has_changed =
      change.verdict == ChangeVerdict::regressed || change.verdict == ChangeVerdict::improved;
  if (!has_changed) return change.point.cell.backend;
  const UnpairedRatio& ratio = change.ratio;
  return fmt::format("{} x{:.2f} ({:.2f} to {:.2f})", change.point.cell.backend, ratio.ratio,
                     ratio.interval.low, ratio.interval.high);
}

/// The changes of one metric, in blocks of a place each.
std::string block_of(std::span<const Change> changes, Metric metric) {
  std::string text;
  std::string place;
  for (const Change& first : changes) {
    if (first.metric != metric || place_of(first.point) == place) continue;
    place = place_of(first.point);
    text += fmt::format("  {}\n", place);
    for (const ChangeVerdict verdict : kVerdicts) {
      std::string names;
      for (const Change& change : changes) {
        if (change.metric != metric || change.verdict != verdict) continue;
        if (place_of(change.point) != place) continue;
        names += (names.empty() ? "" : ", ") + shown_change(change);
      }
      if (!names.empty())
        text += fmt::format("    {:<12} {}\n", change_verdict_name(verdict), names);
    }
  }
  return text.empty() ? text : fmt::format("{}:\n{}", title_of(metric), text);
}

std::string left_out_text(const Changes& found) {
  std::map<std::string, std::size_t> counts;
  for (const NotCompared& left_out : found.not_compared) {
    ++counts[fmt::format("{}: {}", column_of(left_out.metric), left_out.reason)];
  }
  std::string text;
  for (const auto& [reason, count] : counts) {
    text += fmt::format("Not compared at {} point{}, {}.\n", count, count == 1 ? "" : "s", reason);
  }
  for (const auto& [count, where] :
       {std::pair(found.only_before, "first"), std::pair(found.only_after, "second")}) {
    if (count > 0) text += fmt::format("Only in the {} folder: {} points.\n", where, count);
  }
  return text;
}

Object point_json(const MeasuredPoint& point) {
  const Cell& cell = point.cell;
  return {{"experiment", point.experiment},  {"backend", cell.backend},
          {"threading", cell.threading},     {"threads", cell.threads},
          {"connections", cell.connections}, {"idle", cell.idle},
          {"size_bytes", cell.size_bytes},   {"depth", cell.depth},
          {"rate_per_s", cell.rate_per_s},   {"transport", cell.unix_sockets ? "unix" : "tcp"}};
}

Object change_json(const Change& change) {
  Object object = {{"metric", column_of(change.metric)}};
  object.update(point_json(change.point));
  const UnpairedRatio& ratio = change.ratio;
  object.update(Object{{"trials_before", ratio.before_count},
                       {"trials_after", ratio.after_count},
                       {"before", ratio.before},
                       {"after", ratio.after},
                       {"ratio", ratio.ratio},
                       {"ratio_low", ratio.interval.low},
                       {"ratio_high", ratio.interval.high},
                       {"p", ratio.p},
                       {"p_of_all", change.p_of_all},
                       {"verdict", change_verdict_name(change.verdict)}});
  return object;
}

Object folder_json(const ResultFolder& results) {
  const Object& record = results.record;
  const Object machine = record.value("machine", Object::object());
  return {{"folder", results.path},
          {"started_utc", record.value("started_utc", Object())},
          {"cpu_model", machine.value("cpu_model", Object())},
          {"kernel_release", machine.value("kernel_release", Object())},
          {"trials", results.trials.size()}};
}

}  // namespace

std::string comparison_text(const FolderComparison& both) {
  std::string text = fmt::format("{} against {}, geometric means with the interval of 95 %\n\n",
                                 both.after.path, both.before.path);
  for (const Metric metric :
       {Metric::server_cpu_ns_per_echo, Metric::syscalls_per_echo, Metric::echoes_per_s}) {
    const std::string block = block_of(both.found.changes, metric);
    if (!block.empty()) text += block + "\n";
  }
  text += left_out_text(both.found);
  return text + fmt::format(
                    "{} comparisons: {} regressed and {} improved by more than {:g} %, {} "
                    "stayed within it, {} cannot be told.\n",
                    both.found.changes.size(), both.count(ChangeVerdict::regressed),
                    both.count(ChangeVerdict::improved), 100 * both.threshold,
                    both.count(ChangeVerdict::same), both.count(ChangeVerdict::cannot_tell));
}

Object comparison_json(const FolderComparison& both) {
  Object changes = Object::array();
  for (const Change& change : both.found.changes) changes.push_back(change_json(change));
  Object left_out = Object::array();
  for (const NotCompared& one : both.found.not_compared) {
    Object object = {{"metric", column_of(one.metric)}};
    object.update(point_json(one.point));
    object["reason"] = one.reason;
    left_out.push_back(std::move(object));
  }
  return {{"schema_version", kComparisonSchema},
          {"before", folder_json(both.before)},
          {"after", folder_json(both.after)},
          {"threshold", both.threshold},
          {"regressed", both.count(ChangeVerdict::regressed)},
          {"improved", both.count(ChangeVerdict::improved)},
          {"same", both.count(ChangeVerdict::same)},
          {"cannot_tell", both.count(ChangeVerdict::cannot_tell)},
          {"cautions", both.cautions},
          {"only_before", both.found.only_before},
          {"only_after", both.found.only_after},
          {"changes", std::move(changes)},
          {"not_compared", std::move(left_out)}};
}

}  // namespace muxlab
