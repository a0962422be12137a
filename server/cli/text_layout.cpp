#include "server/cli/text_layout.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace muxlab {
namespace {

constexpr std::size_t kUnbroken = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kNarrowest = 20;
constexpr std::string_view kGap = "  ";

std::string_view environment(const char* name) {
  const char* const value = ::getenv(name);
  return value != nullptr ? value : "";
}

std::string_view code_of(Ink ink) {
  switch (ink) {
    case Ink::good:
      return "\033[32m";
    case Ink::bad:
      return "\033[31m";
    case Ink::bold:
      return "\033[1m";
    case Ink::none:
      break;
  }
  return "";
}

std::string pad(const std::string& text, std::size_t width, TextTable::Align align) {
  return align == TextTable::Align::right ? fmt::format("{:>{}}", text, width)
                                          : fmt::format("{:<{}}", text, width);
}

}  // namespace

std::optional<std::size_t> terminal_columns(int fd) {
  const std::string_view columns = environment("COLUMNS");
  std::size_t width = 0;
  const auto parsed = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (parsed.ec == std::errc{} && width > 0) return width;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return std::nullopt;
}

TextLayout TextLayout::of_stdout() {
  const bool plain = !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
  return {.width = terminal_columns(STDOUT_FILENO).value_or(kUnbroken),
          .colour = !plain && ::isatty(STDOUT_FILENO) == 1};
}

std::string TextLayout::paint(std::string_view text, Ink ink) const {
  if (!colour || ink == Ink::none) return std::string(text);
  return fmt::format("{}{}\033[0m", code_of(ink), text);
}

std::string TextLayout::wrap(std::string_view text, std::size_t indent) const {
  const std::size_t room = width > indent + kNarrowest ? width - indent : kNarrowest;
  if (width == kUnbroken) return std::string(text);
  std::string wrapped;
  while (text.size() > room) {
    const std::size_t blank = text.rfind(' ', room);
    const std::size_t end = blank == std::string_view::npos || blank == 0
                                ? std::min(text.find(' '), text.size())  // a word too long
                                : blank;
    wrapped += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (text.empty()) return wrapped;
    wrapped += '\n' + std::string(indent, ' ');
  }
  return wrapped.append(text);
}

void TextTable::note(std::string text, Ink ink) { rows_.push_back({{std::move(text), ink}}); }

std::string TextTable::text(const TextLayout& layout) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& cells : rows_) {
    for (std::size_t i = 0; cells.size() > 1 && i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], cells[i].text.size());
    }
  }
  std::size_t indent = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) indent += widths[i] + kGap.size();
  std::string all;
  for (const auto& cells : rows_) {
    if (cells.size() == 1) all += std::string(indent, ' ');
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      all += layout.paint(pad(cells[i].text, widths[i], columns_[i]), cells[i].ink);
      all += kGap;
    }
    all += layout.paint(layout.wrap(cells.back().text, indent), cells.back().ink);
    all.erase(all.find_last_not_of(' ') + 1);
    all += '\n';
  }
  return all;
}

}  // namespace muxlab
