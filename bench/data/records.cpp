#include "bench/data/records.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "backends/failure.hpp"
#include "bench/campaign_files.hpp"
#include "bench/cell_columns.hpp"
#include "bench/csv.hpp"

namespace muxlab {
namespace {

constexpr const char* kRecords = "records.csv";

std::string show(double value) { return fmt::format("{:.9g}", value); }

/// The fields of one record in their order, as what they stand for.
class FieldReader {
 public:
  FieldReader(const CsvTable& table, std::size_t index)
      : table_(table), fields_(table.records[index]), line_(index + 2) {}

  std::string text() { return fields_[next_++]; }

  template <typename Number>
  Number number() {
    const std::string& field = fields_[next_++];
    Number value{};
    const auto parsed = std::from_chars(field.data(), field.data() + field.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != field.data() + field.size() ||
        !std::isfinite(static_cast<double>(value))) {
      fail(fmt::format("\"{}\" is not a number that column {} can have", field,
                       table_.header[next_ - 1]));
    }
    return value;
  }
  std::uint64_t count() { return number<std::uint64_t>(); }

  [[noreturn]] void fail(const std::string& why) const {
    throw Failure(ExitCode::usage, fmt::format("{} line {}: {}", table_.origin, line_, why));
  }

 private:
  const CsvTable& table_;
  const std::vector<std::string>& fields_;
  std::size_t line_;
  std::size_t next_ = 0;
};

Cell read_cell(FieldReader& fields) {
  Cell cell;
  cell.backend = fields.text();
  cell.threading = fields.text();
  cell.threads = fields.count();
  cell.connections = fields.count();
  cell.idle = fields.count();
  cell.size_bytes = fields.count();
  cell.depth = fields.count();
  cell.unix_sockets = fields.text() == "unix";
  cell.rate_per_s = fields.count();
  cell.churn = fields.count();
  cell.engine = fields.text();
  cell.notify = fields.text();
  return cell;
}

/// A terminal takes control characters for commands.
std::string one_line(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  return text;
}

RigRecord read_record(FieldReader fields) {
  RigRecord record;
  record.cell = read_cell(fields);
  const std::string placement = fields.text();
  if (placement != "apart" && placement != "shared") {
    fields.fail(fmt::format("placement \"{}\" is neither apart nor shared", placement));
  }
  record.placement = placement == "shared" ? Placement::shared : Placement::apart;
  record.rig = fields.count();
  record.look = fields.count();
  if (record.look > 2) fields.fail(fmt::format("there is no look {}", record.look));
  record.build_s = fields.number<double>();
  record.seconds = fields.number<double>();
  record.stolen_share = fields.number<double>();
  record.others_share = fields.number<double>();
  record.baseline = fields.text();
  record.summary.blocks = fields.count();
  record.summary.trimmed_mean = fields.number<double>();
  record.summary.winsorised_variance = fields.number<double>();
  record.summary.stretches = fields.count();
  record.summary.stretch_variance = fields.number<double>();
  if (record.summary.winsorised_variance < 0 || record.summary.stretch_variance < 0) {
    fields.fail("a variance is below 0");
  }
  record.slices = fields.count();
  record.broken = fields.count();
  record.echoes = fields.count();
  record.bytes = fields.count();
  record.cpu_ns = fields.count();
  for (std::uint64_t& calls : record.calls) calls = fields.count();
  record.events = fields.count();
  record.elapsed_ns = fields.count();
  record.client_cpu_ns = fields.count();
  record.window_events = fields.count();
  record.window_waits = fields.count();
  record.reason = one_line(fields.text());
  return record;
}

}  // namespace

bool is_of(const RigRecord& record, const PlannedLoad& load) {
  return point_of(record.cell) == point_of(load.cell) && record.placement == load.placement;
}

std::vector<std::string> record_header() {
  std::vector<std::string> header = cell_header();
  header.insert(header.end(),
                {"placement", "rig", "look", "build_s", "seconds", "stolen_share", "others_share",
                 "baseline", "n", "trimmed_mean", "winsorised_variance", "stretches",
                 "stretch_variance", "slices", "broken", "echoes", "bytes", "cpu_ns"});
  for (const std::string_view kind : kCallNames) header.push_back(fmt::format("calls_{}", kind));
  header.insert(header.end(), {"events", "elapsed_ns", "client_cpu_ns", "window_events",
                               "window_waits", "reason"});
  return header;
}

std::vector<std::string> record_fields(const RigRecord& record) {
  std::vector<std::string> fields = cell_fields(record.cell);
  fields.insert(
      fields.end(),
      {record.placement == Placement::shared ? "shared" : "apart", fmt::to_string(record.rig),
       fmt::to_string(record.look), fmt::format("{:.3f}", record.build_s),
       fmt::format("{:.3f}", record.seconds), fmt::format("{:.4f}", record.stolen_share),
       fmt::format("{:.4f}", record.others_share), record.baseline,
       fmt::to_string(record.summary.blocks), show(record.summary.trimmed_mean),
       show(record.summary.winsorised_variance), fmt::to_string(record.summary.stretches),
       show(record.summary.stretch_variance), fmt::to_string(record.slices),
       fmt::to_string(record.broken), fmt::to_string(record.echoes), fmt::to_string(record.bytes),
       fmt::to_string(record.cpu_ns)});
  for (const std::uint64_t calls : record.calls) fields.push_back(fmt::to_string(calls));
  fields.insert(fields.end(),
                {fmt::to_string(record.events), fmt::to_string(record.elapsed_ns),
                 fmt::to_string(record.client_cpu_ns), fmt::to_string(record.window_events),
                 fmt::to_string(record.window_waits), one_line(record.reason)});
  return fields;
}

void write_records(const std::filesystem::path& folder, std::span<const RigRecord> records) {
  std::string text = csv_record(record_header());
  for (const RigRecord& record : records) text += csv_record(record_fields(record));
  write_whole(folder / kRecords, text);
}

std::vector<RigRecord> read_records(const std::filesystem::path& folder) {
  const CsvTable table = read_csv(folder / kRecords);
  if (table.header != record_header()) {
    throw Failure(
        ExitCode::usage,
        fmt::format("{} is of another version of muxlab: its columns differ", table.origin));
  }
  std::vector<RigRecord> records;
  std::set<std::tuple<Point, Placement, std::uint64_t, std::string>> known;
  std::map<std::pair<Point, Placement>, std::uint64_t> rigs_of;
  for (std::size_t i = 0; i < table.records.size(); ++i) {
    FieldReader fields(table, i);
    RigRecord record = read_record(fields);
    if (!known.emplace(point_of(record.cell), record.placement, record.rig, record.cell.backend)
             .second) {
      fields.fail(fmt::format("rig {} has {} twice", record.rig, record.cell.backend));
    }
    if (record.is_baseline()) {
      std::uint64_t& rigs = rigs_of[{point_of(record.cell), record.placement}];
      if (record.rig != rigs++)
        fields.fail(fmt::format("rig {} should be {}", record.rig, rigs - 1));
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace muxlab
