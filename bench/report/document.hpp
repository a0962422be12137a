#pragma once

#include <string>
#include <variant>
#include <vector>

namespace muxlab {

/// What a report says, before it is HTML or Markdown. All text is plain: whoever renders it escapes
/// what has to be.
struct Paragraph {
  std::string text;
  bool is_caution = false;
};

struct Bullets {
  std::vector<std::string> items;
};

/// The first column names its row. A table that is long is folded until it is wanted.
struct Table {
  std::string caption;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  bool is_folded = false;
};

/// One plot, and all that somebody who does not see it needs.
struct Picture {
  std::string name;  ///< of the file, without its ending; unique in the document
  std::string title;
  std::string description;  ///< what there is to see, in words
  std::string svg;          ///< as gnuplot drew it
  Table data;               ///< what it shows
  std::string csv;          ///< the same, for programs
};

/// Pictures of one kind, to be seen side by side.
struct Gallery {
  std::vector<Picture> pictures;
};

using Block = std::variant<Paragraph, Bullets, Table, Gallery>;

struct Section {
  std::string id;  ///< a word, unique in the document
  std::string heading;
  std::vector<Block> blocks;
};

/// In the order in which it is to be read: the answer first.
struct Document {
  std::string title;
  std::string lead;  ///< the question
  std::vector<Section> sections;
};

/// `document` as one file of HTML that needs no other, no network and no script: its pictures and
/// its data are in it. Light or dark as the reader's system is, from 400 pixels of width on, and
/// all of it can be reached by keyboard. The same document gives the same bytes.
std::string html_page(const Document& document);

/// `document` as Markdown with tables, for an issue or a README. Pictures are links to plots/
/// beside it, and their data is left out. The same document gives the same bytes.
std::string markdown_page(const Document& document);

}  // namespace muxlab
