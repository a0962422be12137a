#include "bench/data/records.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "backends/parts/failure.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

constexpr const char* kRecords = "records.csv";
/// A hundred times what the largest campaign writes.
constexpr std::uint64_t kMostRecordBytes = std::uint64_t{16} << 20;

/// Calls `visit` with the name and the value of each column that identifies a rig.
template <typename Record, typename Visit>
void each_rig_column(Record& record, Visit visit) {
  visit("placement", record.placement);
  visit("rig", record.rig);
  visit("look", record.look);
  visit("build_s", record.build_s);
  visit("seconds", record.seconds);
  visit("stolen_share", record.stolen_share);
  visit("others_share", record.others_share);
  visit("baseline", record.baseline);
}

/// Calls `visit` with the name and the value of each other column.
template <typename Record, typename Visit>
void each_measured_column(Record& record, Visit visit) {
  for (const Metric metric : kMetrics) {
    auto& summary = record.summaries[metric];
    const std::string name(name_of(metric));
    visit(name + "_n", summary.blocks);
    visit(name + "_trimmed_mean", summary.trimmed_mean);
    visit(name + "_winsorised_variance", summary.winsorised_variance);
    visit(name + "_stretches", summary.stretches);
    visit(name + "_stretch_variance", summary.stretch_variance);
  }
  visit("slices", record.slices);
  visit("broken", record.broken);
  visit("echoes", record.echoes);
  visit("bytes", record.bytes);
  visit("cpu_ns", record.cpu_ns);
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    visit(fmt::format("calls_{}", kCallNames[i]), record.calls[i]);
  }
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    visit(fmt::format("ns_{}", kCallNames[i]), record.call_ns[i]);
  }
  visit("clock_ns", record.clock_ns);
  visit("events", record.events);
  visit("elapsed_ns", record.elapsed_ns);
  visit("client_cpu_ns", record.client_cpu_ns);
  visit("opened", record.opened);
  visit("unsent", record.unsent);
  visit("delayed", record.delayed);
  visit("fairness", record.fairness);
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    visit(fmt::format("latency_ns_{}", kPercentileNames[i]), record.latency_ns[i]);
  }
  visit("first_echo_ns_p50", record.first_echo_ns_p50);
  visit("first_echo_ns_p99", record.first_echo_ns_p99);
  visit("resident_bytes", record.resident_bytes);
  visit("grown_bytes", record.grown_bytes);
  visit("kernel_bytes", record.kernel_bytes);
  visit("window_events", record.window_events);
  visit("window_waits", record.window_waits);
  visit("reason", record.reason);
}

std::string record_field(Placement placement) { return name_of(placement); }
std::string record_field(double value) { return fmt::format("{:.9g}", value); }
std::string record_field(std::uint64_t value) { return fmt::to_string(value); }
std::string record_field(const std::string& text) { return one_line(text); }
/// Writes 0 as an empty field, because most rows measure few of the columns.
template <typename Value>
std::string measured_field_of(const Value& value) {
  return value == Value{} ? std::string() : record_field(value);
}

/// Converts the fields of the current record of `reader`, in order.
class FieldReader {
 public:
  FieldReader(const CsvReader& reader, const std::vector<std::string>& fields)
      : reader_(reader), fields_(fields) {}

  const std::string& text() { return fields_[next_++]; }

  template <typename Number>
  Number number() {
    const std::string& field = text();
    Number value{};
    const auto parsed = std::from_chars(field.data(), field.data() + field.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != field.data() + field.size() ||
        !std::isfinite(static_cast<double>(value))) {
      fail(fmt::format("\"{}\" is not a number that column {} can have", shortened(field),
                       reader_.header()[next_ - 1]));
    }
    return value;
  }

  void into(std::uint64_t& value) { value = number<std::uint64_t>(); }
  void into(double& value) { value = number<double>(); }
  void into(std::string& value) { value = one_line(text()); }
  void into(bool& unix_sockets) { unix_sockets = text() == transport_name(true); }
  /// Reads a field that measured_field_of() wrote.
  template <typename Value>
  void measured_into(Value& value) {
    if (!fields_[next_].empty()) return into(value);
    value = {};
    ++next_;
  }
  void into(Placement& value) {
    const std::string& name = text();
    value = name == name_of(Placement::shared) ? Placement::shared : Placement::apart;
    if (name == name_of(value)) return;
    fail(fmt::format("placement \"{}\" is neither apart nor shared", shortened(name)));
  }

  [[noreturn]] void fail(const std::string& why) const { reader_.fail("is wrong: " + why); }

 private:
  /// A field may be as long as the file.
  static std::string shortened(const std::string& field) { return one_line(field.substr(0, 40)); }

  const CsvReader& reader_;
  const std::vector<std::string>& fields_;
  std::size_t next_ = 0;
};

RigRecord read_record(FieldReader fields) {
  RigRecord record;
  each_cell_column(record.cell, [&](const char*, auto& value) { fields.into(value); });
  each_rig_column(record, [&](const std::string&, auto& value) { fields.into(value); });
  each_measured_column(record,
                       [&](const std::string&, auto& value) { fields.measured_into(value); });
  if (record.look > 2) fields.fail(fmt::format("there is no look {}", record.look));
  for (const Metric metric : kMetrics) {
    const RigSummary& summary = record.summaries[metric];
    if (summary.winsorised_variance < 0 || summary.stretch_variance < 0) {
      fields.fail("a variance is below 0");
    }
  }
  return record;
}

}  // namespace

std::uint64_t RigRecord::all_calls() const {
  return std::accumulate(calls.begin(), calls.end(), std::uint64_t{0});
}

bool is_of(const RigRecord& record, const PlannedLoad& load) {
  return point_of(record.cell) == point_of(load.cell) && record.placement == load.placement;
}

std::vector<std::string> record_header() {
  std::vector<std::string> header = cell_header();
  const RigRecord none;
  const auto add = [&](const std::string& name, const auto&) { header.push_back(name); };
  each_rig_column(none, add);
  each_measured_column(none, add);
  return header;
}

std::vector<std::string> record_fields(const RigRecord& record) {
  std::vector<std::string> fields = cell_fields(record.cell);
  each_rig_column(record, [&](const std::string&, const auto& value) {
    fields.push_back(record_field(value));
  });
  each_measured_column(record, [&](const std::string&, const auto& value) {
    fields.push_back(measured_field_of(value));
  });
  return fields;
}

void write_records(const std::filesystem::path& folder, std::span<const RigRecord> records) {
  std::string text = csv_record(record_header());
  for (const RigRecord& record : records) text += csv_record(record_fields(record));
  write_whole(folder / kRecords, text);
}

std::vector<RigRecord> read_records(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kRecords;
  return parse_records(read_whole(file, kMostRecordBytes), file.string());
}

std::vector<RigRecord> parse_records(std::string_view text, const std::string& origin) {
  CsvReader reader(text, origin);
  if (reader.header() != record_header()) {
    throw Failure(
        ExitCode::usage,
        fmt::format("{} line 1 has other columns than this version of muxlab writes: use the "
                    "version that wrote it, or measure again",
                    origin));
  }
  std::vector<RigRecord> records;
  std::set<std::tuple<Point, Placement, std::uint64_t, std::string>> known;
  std::map<std::pair<Point, Placement>, std::uint64_t> rigs_of;
  for (std::vector<std::string> fields; reader.next(fields);) {
    const FieldReader field_reader(reader, fields);
    RigRecord record = read_record(field_reader);
    if (!known.emplace(point_of(record.cell), record.placement, record.rig, record.cell.backend)
             .second) {
      field_reader.fail(fmt::format("rig {} has {} twice: remove the row that should not be there",
                                    record.rig, record.cell.backend));
    }
    if (record.is_baseline()) {
      std::uint64_t& rigs = rigs_of[{point_of(record.cell), record.placement}];
      if (record.rig != rigs++) {
        field_reader.fail(fmt::format("rig {} should be {}", record.rig, rigs - 1));
      }
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace muxlab
