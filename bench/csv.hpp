#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muxlab {

/// One record of RFC 4180, ended by a line feed; a field is quoted only when it has to be.
std::string csv_record(std::span<const std::string> fields);

/// A header record and the records below it, all with the same number of fields.
struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> records;

  /// Where a column is. Throws Failure (usage) that names it when it is not there.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  std::string origin;  ///< what messages call this table
};

/// Reads RFC 4180 with LF or CRLF ends. Throws Failure (usage) naming `origin` and the line for a
/// missing header, a record of another length, an open quote or a last line without its end.
CsvTable parse_csv(std::string_view text, std::string origin);

/// parse_csv() of a file. Throws Failure (usage) when it cannot be read.
CsvTable read_csv(const std::filesystem::path& file);

}  // namespace muxlab
