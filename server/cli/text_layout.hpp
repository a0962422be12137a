#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muxlab {

/// The width of the terminal that the descriptor `fd` is: COLUMNS, or what it says itself;
/// nothing where neither tells.
std::optional<std::size_t> terminal_columns(int fd);

enum class Ink : std::uint8_t { none, good, bad, bold };

/// How text for people is laid out: for a terminal lines end at its width, elsewhere nothing is
/// broken, so that `grep` finds it.
struct TextLayout {
  std::size_t width;  ///< in characters
  bool colour;

  /// For stdout. COLUMNS tells the width before the terminal does; colour is for a terminal only,
  /// unless NO_COLOR is set or TERM is `dumb`.
  static TextLayout of_stdout();

  [[nodiscard]] std::string paint(std::string_view text, Ink ink) const;
  /// `text` broken at blanks so that it ends at the width when it begins at column `indent`; the
  /// lines after the first are indented. At least twenty characters stand on a line.
  [[nodiscard]] std::string wrap(std::string_view text, std::size_t indent) const;
};

/// Columns as wide as their widest cell. The last one is wrapped.
class TextTable {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Cell {
    std::string text;
    Ink ink = Ink::none;
  };

  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}
  /// As many cells as there are columns.
  void row(std::vector<Cell> cells) {
    assert(cells.size() == columns_.size());
    rows_.push_back(std::move(cells));
  }
  /// A line that stands below the last column of the row before.
  void note(std::string text, Ink ink = Ink::none);
  [[nodiscard]] std::string text(const TextLayout& layout) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<Cell>> rows_;  ///< one cell only: a note
};

}  // namespace muxlab
