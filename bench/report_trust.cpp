#include <fmt/format.h>

#include <algorithm>

#include "bench/report_content.hpp"
#include "bench/report_words.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using Record = nlohmann::ordered_json;

/// How far the trials of a point in the middle lie apart, as a share of their median.
std::optional<Spread> relative_widths(std::span<const SummaryRow> summary) {
  std::vector<double> widths;
  for (const SummaryRow& row : summary) {
    const auto& cpu = row.spread(Metric::server_cpu_ns_per_echo);
    if (cpu && row.trials > 1) widths.push_back((cpu->max - cpu->min) / cpu->median);
  }
  return spread_of(std::move(widths));
}

std::string lower_bound_to(std::uint64_t min, std::uint64_t max) {
  return min == max ? "" : fmt::format("{} to ", min);
}

Bullets reasons(const Report& report) {
  std::uint64_t trials = 0;
  std::uint64_t failed = 0;
  std::uint64_t disturbed = 0;
  std::uint64_t unsupported = 0;
  for (const SummaryRow& row : report.summary) {
    trials += row.trials + row.untrusted + row.failed;
    failed += row.failed;
    disturbed += row.untrusted;
    unsupported += !row.is_measured() && row.unsupported > 0 ? 1 : 0;
  }
  const TrialCount per_point = count_trials(report.summary);
  Bullets bullets{{instrument_text(report.instrument)}};
  bullets.items.push_back(
      fmt::format("Each point stands on {}{}, in rounds in random order; it takes {} to rank by "
                  "a median, and as many pairs for a verdict.",
                  lower_bound_to(per_point.min, per_point.max), counted(per_point.max, "trial"),
                  kRoundsToRank));
  bullets.items.push_back(fmt::format(
      "Of {}, {} failed and {} met a gate: something else was in the way. trials.csv says what.",
      counted(trials, "trial"), failed, disturbed));
  if (unsupported > 0) {
    bullets.items.push_back(
        fmt::format("{} could not be measured, because the backend cannot serve so many.",
                    counted(unsupported, "point")));
  }
  if (const auto widths = relative_widths(report.summary)) {
    bullets.items.push_back(fmt::format(
        "From the least to the greatest CPU per echo the trials of a point lie {:.0f} % of their "
        "median apart (the middle point; the worst {:.0f} %).",
        100 * widths->median, 100 * widths->max));
  }
  return bullets;
}

std::string shown_value(const Record& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Rows of what the record tells; what it does not is left out.
class Card {
 public:
  explicit Card(const Record& record) : record_(record) {}

  Card& add(const std::string& name, const char* pointer, const std::string& unit = "") {
    const Record value = record_.value(Record::json_pointer(pointer), Record());
    if (!value.is_null()) rows_.push_back({name, shown_value(value) + unit});
    return *this;
  }
  Card& add_duration(const std::string& name, const char* pointer) {
    const Record value = record_.value(Record::json_pointer(pointer), Record());
    if (value.is_number_integer()) {
      rows_.push_back(
          {name, cli::show_duration(std::chrono::nanoseconds(value.get<std::int64_t>()))});
    }
    return *this;
  }
  [[nodiscard]] std::vector<std::vector<std::string>> rows() const { return rows_; }

 private:
  const Record& record_;
  std::vector<std::vector<std::string>> rows_;
};

std::string command_of(const Record& record) {
  std::string line;
  for (const auto& word : record.value("command_line", Record::array())) {
    line += (line.empty() ? "" : " ") + shown_value(word);
  }
  return line;
}

Table machine_table(const Record& record) {
  Card card(record);
  card.add("Processor", "/machine/cpu_model")
      .add("Processors", "/machine/processors_online")
      .add("Virtual machine", "/machine/virtualisation/hypervisor")
      .add("Kernel", "/machine/kernel_release")
      .add("Distribution", "/machine/distribution")
      .add("Frequency governor", "/machine/governor")
      .add("Congestion control", "/machine/tcp_congestion_control")
      .add("Compiler", "/machine/compiler")
      .add("Build", "/machine/build/type")
      .add("Started", "/started_utc")
      .add("Ended", "/ended_utc")
      .add("Status", "/run_status")
      .add("Profile", "/profile")
      .add("Rounds", "/rounds")
      .add("Seed", "/seed")
      .add_duration("Warm-up of each trial", "/warmup_ns")
      .add_duration("Window of each trial", "/window_ns")
      .add("Size of a message", "/size_bytes", " bytes")
      .add("In flight per connection", "/depth")
      .add("Transport", "/transport");
  Table table{"The machine, and what was run on it", {"what", "value"}, card.rows()};
  table.rows.push_back({"Command", command_of(record)});
  return table;
}

/// Everything, for whoever looks for what nobody thought of.
Table whole_record(const Record& record) {
  Table table{"All of machine.json", {"key", "value"}, {}, true};
  const Record flat = record.flatten();
  for (const auto& [key, value] : flat.items()) table.rows.push_back({key, shown_value(value)});
  return table;
}

}  // namespace

Section trust_section(const ReportSource& source) {
  return {"trust",
          "Can it be trusted?",
          {reasons(source.report), machine_table(source.record), whole_record(source.record)}};
}

}  // namespace muxlab
