#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muxlab {

/// Returns one record of RFC 4180 that ends with a line feed. Quotes a field only where it must.
std::string csv_record(std::span<const std::string> fields);

/// Reads the records of RFC 4180 from a text one by one, with LF or CRLF ends. Only one record is
/// in memory as fields. Borrows `text` and `origin`; error messages name `origin`.
///
/// Throws Failure (usage), with `origin` and the line, for a missing header, a record of another
/// length, an open quote, a NUL byte or a last line without a line end.
class CsvReader {
 public:
  /// Reads the header.
  CsvReader(std::string_view text, const std::string& origin);

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  /// Reads the next record into `fields`, as many as the header has. Returns false at the end.
  bool next(std::vector<std::string>& fields);
  /// Returns the line on which that record began, from 1.
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

  /// Returns the index of a column. Throws Failure (usage), with its name, when it is missing.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  std::string origin;  ///< name of this table in error messages
};

/// Reads all records of `text`. Throws as CsvReader does.
CsvTable parse_csv(std::string_view text, std::string origin);

/// Reads and parses a file. Throws as read_whole() and parse_csv() do.
CsvTable read_csv(const std::filesystem::path& file);

}  // namespace muxlab
