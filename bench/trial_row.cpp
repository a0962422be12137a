#include "bench/trial_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "backends/failure.hpp"
#include "bench/cell_columns.hpp"
#include "bench/gates.hpp"

namespace muxlab {
namespace {

constexpr std::array<std::string_view, 4> kStatusNames = {"ok", "failed", "unsupported",
                                                          "untrusted"};

/// The fields of one record by the name of their column.
class RecordView {
 public:
  RecordView(const CsvTable& table, std::size_t index) : table_(table), index_(index) {}

  [[nodiscard]] const std::string& text(std::string_view column) const {
    return table_.records[index_][table_.column(column)];
  }

  template <typename Number>
  [[nodiscard]] Number number(std::string_view column) const {
    const std::string& field = text(column);
    Number number{};
    const char* end = field.data() + field.size();
    const auto parsed = std::from_chars(field.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end) reject(column, "a number");
    return number;
  }

  [[nodiscard]] bool has(std::string_view column) const {
    return std::ranges::find(table_.header, column) != table_.header.end();
  }

  [[nodiscard]] double metric(std::string_view column) const {
    return text(column).empty() ? std::nan("") : number<double>(column);
  }

  [[nodiscard]] bool is_unix() const {
    if (text("transport") != "tcp" && text("transport") != "unix") {
      reject("transport", "tcp or unix");
    }
    return text("transport") == "unix";
  }

  [[nodiscard]] TrialStatus status() const {
    const auto found = std::ranges::find(kStatusNames, text("status"));
    if (found == kStatusNames.end()) reject("status", "ok, failed, unsupported or untrusted");
    return static_cast<TrialStatus>(found - kStatusNames.begin());
  }

 private:
  [[noreturn]] void reject(std::string_view column, std::string_view expected) const {
    throw Failure(ExitCode::usage, fmt::format("{} record {}: {} \"{}\" is not {}", table_.origin,
                                               index_ + 1, column, text(column), expected));
  }

  const CsvTable& table_;
  std::size_t index_;
};

Cell read_cell(const RecordView& record) {
  Cell cell;
  cell.backend = record.text("backend");
  cell.threading = record.text("threading");
  cell.threads = record.number<std::uint64_t>("threads");
  cell.connections = record.number<std::uint64_t>("connections");
  cell.idle = record.number<std::uint64_t>("idle");
  cell.size_bytes = record.number<std::uint64_t>("size_bytes");
  cell.depth = record.number<std::uint64_t>("depth");
  if (record.has("rate_per_s")) cell.rate_per_s = record.number<std::uint64_t>("rate_per_s");
  if (record.has("churn")) cell.churn = record.number<std::uint64_t>("churn");
  if (record.has("engine")) cell.engine = record.text("engine");
  if (record.has("notify")) cell.notify = record.text("notify");
  if (record.has("transport")) cell.unix_sockets = record.is_unix();
  return cell;
}

TrialRow read_row(const RecordView& record) {
  TrialRow row;
  row.round = record.number<std::uint64_t>("round");
  row.order = record.number<std::uint64_t>("order");
  if (record.has("attempt")) row.attempt = record.number<std::uint64_t>("attempt");
  row.experiment = record.text("experiment");
  row.cell = read_cell(record);
  row.outcome.status = record.status();
  row.outcome.reason = record.text("reason");
  for (std::size_t i = 0; i < kTrialMetrics; ++i) {
    if (i >= kFirstMetrics && !record.has(kMetricNames[i])) continue;
    row.outcome.metrics[Metric{i}] = record.metric(kMetricNames[i]);
  }
  return row;
}

}  // namespace

std::string_view status_name(TrialStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::string number_field(double value) {
  return std::isfinite(value) ? fmt::to_string(value) : std::string();
}

std::vector<std::string> trial_header() {
  std::vector<std::string> header = {"round", "order", "attempt", "experiment"};
  const std::vector<std::string> cell = cell_header();
  header.insert(header.end(), cell.begin(), cell.end());
  header.insert(header.end(), {"status", "reason", "limiter"});
  header.insert(header.end(), kMetricNames.begin(), kMetricNames.begin() + kTrialMetrics);
  return header;
}

std::vector<std::string> trial_record(const TrialRow& row) {
  std::vector<std::string> record = {fmt::to_string(row.round), fmt::to_string(row.order),
                                     fmt::to_string(row.attempt), row.experiment};
  const std::vector<std::string> cell = cell_fields(row.cell);
  record.insert(record.end(), cell.begin(), cell.end());
  const Limiter limiter = limiter_of(row.cell, row.outcome.metrics);
  record.insert(record.end(), {std::string(status_name(row.outcome.status)), row.outcome.reason,
                               std::string(limiter_name(limiter))});
  for (std::size_t i = 0; i < kTrialMetrics; ++i) {
    record.push_back(number_field(row.outcome.metrics[Metric{i}]));
  }
  return record;
}

std::vector<TrialRow> trial_rows(const CsvTable& table) {
  std::vector<TrialRow> rows;
  for (std::size_t i = 0; i < table.records.size(); ++i) {
    rows.push_back(read_row(RecordView(table, i)));
  }
  return rows;
}

}  // namespace muxlab
