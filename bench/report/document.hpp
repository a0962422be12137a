#pragma once

#include <string>
#include <variant>
#include <vector>

namespace muxlab {

/// The content of a report, independent of HTML and Markdown. All text is plain: the renderer
/// escapes it.
struct Paragraph {
  std::string text;
  bool is_caution = false;
};

struct Bullets {
  std::vector<std::string> items;
};

/// The first column names its row. A long table is folded until the reader opens it.
struct Table {
  std::string caption;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  bool is_folded = false;
};

/// One plot, with a description and its data for screen readers.
struct Picture {
  std::string name;  ///< of the file, without its ending; unique in the document
  std::string title;
  std::string description;  ///< the content of the picture in words
  std::string svg;          ///< as gnuplot drew it
  Table data;               ///< the plotted data
  std::string csv;          ///< the same, for programs
};

/// Pictures of one kind, shown side by side.
struct Gallery {
  std::vector<Picture> pictures;
};

using Block = std::variant<Paragraph, Bullets, Table, Gallery>;

struct Section {
  std::string id;  ///< a word, unique in the document
  std::string heading;
  std::vector<Block> blocks;
};

/// Sections are in reading order: the answer comes first.
struct Document {
  std::string title;
  std::string lead;  ///< the question
  std::vector<Section> sections;
};

/// Renders `document` as one HTML file that needs no other file, no network and no script: it
/// contains its pictures and data. It is light or dark like the reader's system, fits screens from
/// 400 pixels of width on, and works by keyboard. The same document gives the same bytes.
std::string html_page(const Document& document);

/// Renders `document` as Markdown with tables, for an issue or a README. Pictures are links to
/// plots/ in the same folder, without their data. The same document gives the same bytes.
std::string markdown_page(const Document& document);

}  // namespace muxlab
