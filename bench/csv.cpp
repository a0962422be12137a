#include "bench/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

/// Takes records off the front of a text.
class RecordReader {
 public:
  RecordReader(std::string_view text, const std::string& origin) : rest_(text), origin_(origin) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  std::vector<std::string> next() {
    std::vector<std::string> fields;
    do fields.push_back(next_field());
    while (take(","));
    if (!take("\r\n") && !take("\n")) fail("is cut off or has text after a closing quote");
    ++line_;
    return fields;
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw Failure(ExitCode::usage, fmt::format("{} line {} {}", origin_, line_, what));
  }

 private:
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string next_field() {
    if (take("\"")) return quoted_field();
    const std::size_t size = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    std::string field(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return field;
  }

  std::string quoted_field() {
    std::string field;
    for (;;) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) fail("has a quote that is never closed");
      field += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (!take("\"")) break;
      field += '"';
    }
    line_ += static_cast<std::size_t>(std::count(field.begin(), field.end(), '\n'));
    return field;
  }

  std::string_view rest_;
  const std::string& origin_;
  std::size_t line_ = 1;
};

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

CsvTable parse_csv(std::string_view text, std::string origin) {
  CsvTable table;
  table.origin = std::move(origin);
  RecordReader reader(text, table.origin);
  if (reader.at_end()) reader.fail("should be the header, but the file is empty");
  table.header = reader.next();
  while (!reader.at_end()) {
    const std::size_t line = reader.line();
    table.records.push_back(reader.next());
    const std::size_t size = table.records.back().size();
    if (size == table.header.size()) continue;
    throw Failure(ExitCode::usage, fmt::format("{} line {} has {} fields instead of {}",
                                               table.origin, line, size, table.header.size()));
  }
  return table;
}

CsvTable read_csv(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    throw Failure(ExitCode::usage, fmt::format("cannot read {}: is it there?", file.string()));
  }
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return parse_csv(text, file.string());
}

}  // namespace muxlab
