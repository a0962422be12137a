#include "bench/trial_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

constexpr std::array<std::string_view, 3> kStatusNames = {"ok", "failed", "unsupported"};

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

  [[nodiscard]] double metric(std::string_view column) const {
    const bool is_there = std::ranges::find(table_.header, column) != table_.header.end();
    return is_there && !text(column).empty() ? number<double>(column) : std::nan("");
  }

  [[nodiscard]] TrialStatus status() const {
    for (const TrialStatus status :
         {TrialStatus::ok, TrialStatus::failed, TrialStatus::unsupported}) {
      if (status_name(status) == text("status")) return status;
    }
    reject("status", "ok, failed or unsupported");
  }

 private:
  [[noreturn]] void reject(std::string_view column, std::string_view expected) const {
    throw Failure(ExitCode::usage, fmt::format("{} record {}: {} \"{}\" is not {}", table_.origin,
                                               index_ + 1, column, text(column), expected));
  }

  const CsvTable& table_;
  std::size_t index_;
};

TrialRow read_row(const RecordView& record) {
  TrialRow row;
  row.round = record.number<std::uint64_t>("round");
  row.order = record.number<std::uint64_t>("order");
  row.experiment = record.text("experiment");
  row.cell = {record.text("backend"), record.text("threading"),
              record.number<std::uint64_t>("threads"), record.number<std::uint64_t>("connections"),
              record.number<std::uint64_t>("idle")};
  row.size_bytes = record.number<std::uint64_t>("size_bytes");
  row.depth = record.number<std::uint64_t>("depth");
  row.outcome.status = record.status();
  row.outcome.reason = record.text("reason");
  for (std::size_t i = 0; i < kMetricNames.size(); ++i) {
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
  std::vector<std::string> header = {"round",      "order",   "experiment",  "backend",
                                     "threading",  "threads", "connections", "idle",
                                     "size_bytes", "depth",   "status",      "reason"};
  header.insert(header.end(), kMetricNames.begin(), kMetricNames.end());
  return header;
}

std::vector<std::string> trial_record(const TrialRow& row) {
  std::vector<std::string> record = {fmt::to_string(row.round),
                                     fmt::to_string(row.order),
                                     row.experiment,
                                     row.cell.backend,
                                     row.cell.threading,
                                     fmt::to_string(row.cell.threads),
                                     fmt::to_string(row.cell.connections),
                                     fmt::to_string(row.cell.idle),
                                     fmt::to_string(row.size_bytes),
                                     fmt::to_string(row.depth),
                                     std::string(status_name(row.outcome.status)),
                                     row.outcome.reason};
  for (std::size_t i = 0; i < kMetricNames.size(); ++i) {
    record.push_back(number_field(row.outcome.metrics[Metric{i}]));
  }
  return record;
}

std::vector<TrialRow> trial_rows(const CsvTable& table) {
  // Metrics have been added since there are tables: what is not in one was not measured.
  std::vector<std::string> needed = trial_header();
  needed.resize(needed.size() - kMetricNames.size());
  for (const std::string& column : needed) (void)table.column(column);
  std::vector<TrialRow> rows;
  for (std::size_t i = 0; i < table.records.size(); ++i) {
    rows.push_back(read_row(RecordView(table, i)));
  }
  return rows;
}

}  // namespace muxlab
