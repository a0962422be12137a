#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muxlab {

/// One record of RFC 4180, ended by a line feed; a field is quoted only when it has to be.
std::string csv_record(std::span<const std::string> fields);

/// Takes the records of RFC 4180, with LF or CRLF ends, off a text one by one, so that only one of
/// them is in memory as fields. `text` and `origin`, which messages name, outlive it.
///
/// Throws Failure (usage) naming `origin` and the line for a missing header, a record of another
/// length, an open quote, a NUL byte or a last line without its end.
class CsvReader {
 public:
  /// Reads the header.
  CsvReader(std::string_view text, const std::string& origin);

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  /// Reads the next record into `fields`, as many as the header has; false at the end.
  bool next(std::vector<std::string>& fields);
  /// Where that record began, from 1.
  [[nodiscard]] std::size_t line() const { return record_line_; }
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void read(std::vector<std::string>& fields, std::size_t most);
  bool take(std::string_view token);
  void read_field(std::string& field);
  void read_quoted(std::string& field);

  std::string_view rest_;
  const std::string& origin_;
  std::size_t record_line_ = 1;
  std::size_t line_ = 1;
  std::vector<std::string> header_;
};

/// A header record and the records below it, all with the same number of fields.
struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> records;

  /// Where a column is. Throws Failure (usage) that names it when it is not there.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  std::string origin;  ///< what messages call this table
};

/// All that a CsvReader reads. Throws as it does.
CsvTable parse_csv(std::string_view text, std::string origin);

/// parse_csv() of a file. Throws Failure (usage) when it cannot be read.
CsvTable read_csv(const std::filesystem::path& file);

}  // namespace muxlab
