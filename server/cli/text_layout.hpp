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

/// Lays out text for people. On a terminal, lines end at its width; elsewhere no line is broken, so
/// that `grep` finds it.
struct TextLayout {
  std::size_t width;  ///< in characters
  bool colour;

  /// Returns the layout for stdout. COLUMNS overrides the width of the terminal. Colour is for a
  /// terminal only, unless NO_COLOR is set or TERM is `dumb`.
  static TextLayout of_stdout();

  [[nodiscard]] std::string paint(std::string_view text, Ink ink) const;
  /// Breaks `text` at blanks so that lines end at the width when it begins at column `indent`.
  /// Indents all lines but the first. A line has room for at least twenty characters.
  [[nodiscard]] std::string wrap(std::string_view text, std::size_t indent) const;
};

/// Formats columns as wide as their widest cell, and wraps the last column.
class TextTable {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Cell {
    std::string text;
    Ink ink = Ink::none;
  };

  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}
  /// Adds a row. Requires: as many cells as columns.
  void row(std::vector<Cell> cells) {
    assert(cells.size() == columns_.size());
    rows_.push_back(std::move(cells));
  }
  /// Adds a line below the last column of the row before.
  void note(std::string text, Ink ink = Ink::none);
  [[nodiscard]] std::string text(const TextLayout& layout) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<Cell>> rows_;  ///< one cell only: a note
};

}  // namespace muxlab
