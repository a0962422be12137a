#include <fmt/format.h>

#include "bench/report/document.hpp"

namespace muxlab {
namespace {

/// Text that Markdown takes for text, inside a table too.
std::string plain(std::string_view words) {
  std::string escaped;
  for (const char c : words) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string markdown_of(const Paragraph& paragraph) {
  const char* const mark = paragraph.is_caution ? "> **Caution:** " : "";
  return fmt::format("{}{}\n\n", mark, plain(paragraph.text));
}

std::string markdown_of(const Bullets& bullets) {
  std::string lines;
  for (const std::string& item : bullets.items) lines += fmt::format("- {}\n", plain(item));
  return lines + "\n";
}

std::string line_of(const std::vector<std::string>& fields) {
  std::string line = "|";
  for (const std::string& field : fields) line += fmt::format(" {} |", plain(field));
  return line + "\n";
}

std::string markdown_of(const Table& table) {
  std::string lines = line_of(table.header) + "|";
  for (std::size_t i = 0; i < table.header.size(); ++i) lines += "---|";
  lines += "\n";
  for (const auto& row : table.rows) lines += line_of(row);
  const std::string caption = plain(table.caption);
  if (!table.is_folded) return fmt::format("*{}*\n\n{}\n", caption, lines);
  return fmt::format("<details><summary>{}</summary>\n\n{}\n</details>\n\n", caption, lines);
}

std::string markdown_of(const Gallery& gallery) {
  std::string lines;
  for (const Picture& picture : gallery.pictures) {
    lines += fmt::format("![{}](plots/{}.svg)\n\n*{}*\n\n", plain(picture.title), picture.name,
                         plain(picture.description));
  }
  return lines;
}

}  // namespace

std::string markdown_page(const Document& document) {
  std::string page = fmt::format("# {}\n\n{}\n\n", plain(document.title), plain(document.lead));
  for (const Section& section : document.sections) {
    page += fmt::format("## {}\n\n", plain(section.heading));
    for (const Block& block : section.blocks) {
      page += std::visit([](const auto& one) { return markdown_of(one); }, block);
    }
  }
  page.pop_back();  // one empty line too many
  return page;
}

}  // namespace muxlab
