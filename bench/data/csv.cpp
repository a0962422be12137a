#include "bench/data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backends/parts/failure.hpp"
#include "bench/data/files.hpp"

namespace muxlab {
namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

constexpr std::size_t kMostColumns = 1'000;

}  // namespace

std::string csv_record(std::span<const std::string> fields) {
  std::string record;
  for (const std::string& field : fields) {
    if (!record.empty() || &field != fields.data()) record += ',';
    record += quoted(field);
  }
  return record + '\n';
}

std::size_t CsvTable::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  throw Failure(ExitCode::usage,
                fmt::format("{} has no column {}: it is of another schema", origin, name));
}

CsvReader::CsvReader(std::string_view text, const std::string& origin)
    : rest_(text), origin_(origin) {
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    record_line_ += static_cast<std::size_t>(std::ranges::count(text.substr(0, nul), '\n'));
    fail("has a NUL byte, which no text has");
  }
  if (rest_.empty()) fail("should be the header, but the file is empty");
  read(header_, kMostColumns);
}

bool CsvReader::next(std::vector<std::string>& fields) {
  if (rest_.empty()) return false;
  read(fields, header_.size());
  if (fields.size() != header_.size()) {
    fail(fmt::format("has {} fields instead of {}", fields.size(), header_.size()));
  }
  return true;
}

void CsvReader::fail(std::string_view what) const {
  throw Failure(ExitCode::usage, fmt::format("{} line {} {}", origin_, record_line_, what));
}

void CsvReader::read(std::vector<std::string>& fields, std::size_t most) {
  record_line_ = line_;
  std::size_t count = 0;
  do {
    if (count == most) fail(fmt::format("has more than {} fields", most));
    if (count == fields.size()) fields.emplace_back();
    read_field(fields[count++]);
  } while (take(","));
  fields.resize(count);
  if (!take("\r\n") && !take("\n")) fail("is cut off or has text after a closing quote");
  ++line_;
}

bool CsvReader::take(std::string_view token) {
  if (!rest_.starts_with(token)) return false;
  rest_.remove_prefix(token.size());
  return true;
}

void CsvReader::read_field(std::string& field) {
  if (take("\"")) return read_quoted(field);
  const std::size_t size = std::min(rest_.find_first_of(",\r\n"), rest_.size());
  field = rest_.substr(0, size);
  rest_.remove_prefix(size);
}

void CsvReader::read_quoted(std::string& field) {
  field.clear();
  for (;;) {
    const std::size_t quote = rest_.find('"');
    if (quote == std::string_view::npos) fail("has a quote that is never closed");
    field += rest_.substr(0, quote);
    rest_.remove_prefix(quote + 1);
    if (!take("\"")) break;
    field += '"';
  }
  line_ += static_cast<std::size_t>(std::count(field.begin(), field.end(), '\n'));
}

CsvTable parse_csv(std::string_view text, std::string origin) {
  CsvTable table;
  table.origin = std::move(origin);
  CsvReader reader(text, table.origin);
  table.header = reader.header();
  for (std::vector<std::string> fields; reader.next(fields);) table.records.push_back(fields);
  return table;
}

CsvTable read_csv(const std::filesystem::path& file) {
  return parse_csv(read_whole(file), file.string());
}

}  // namespace muxlab
