#include "bench/report/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace muxlab {

/// report.css: how the report looks, by day and by night. The drawings are on white paper always.
extern const char* const kReportStyle;

namespace {

/// HTML that is valid by construction: text only gets into it through escape(), and every element
/// is closed. It is XML too, so any parser can check it.
struct Html {
  std::string markup;

  Html& operator+=(const Html& more) {
    markup += more.markup;
    return *this;
  }
  friend Html operator+(Html first, const Html& second) { return first += second; }
};

using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// The five characters that markup is made of, as references; characters that no document may hold
/// are left out.
std::string escape(std::string_view plain) {
  constexpr std::array<std::pair<char, std::string_view>, 5> kReferences = {
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};
  std::string escaped;
  for (const char c : plain) {
    const bool is_control = static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t';
    const auto* const reference =
        std::ranges::find(kReferences, c, [](const auto& one) { return one.first; });
    if (reference != kReferences.end()) {
      escaped += reference->second;
    } else if (!is_control) {
      escaped += c;
    }
  }
  return escaped;
}

/// Returns a data URI (RFC 2397) for an attribute. Spaces stay, because a drawing is a quarter
/// shorter then, and browsers accept them.
std::string data_uri(std::string_view media_type, std::string_view data) {
  // URLs give these a meaning, or escape() would make them longer than the three characters here.
  constexpr std::string_view kReserved = "%#\"'<>&";
  std::string uri = fmt::format("data:{},", media_type);
  for (const char c : data) {
    const bool is_plain = c >= ' ' && c <= '~' && kReserved.find(c) == std::string_view::npos;
    uri += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

Html text(std::string_view plain) { return {escape(plain)}; }

std::string opening(std::string_view name, Attributes attributes) {
  std::string tag = fmt::format("<{}", name);
  for (const auto& [key, value] : attributes) tag += fmt::format(" {}=\"{}\"", key, escape(value));
  return tag;
}

/// <name attributes>content</name>
Html element(std::string_view name, Attributes attributes, const Html& content) {
  return {fmt::format("{}>{}</{}>", opening(name, attributes), content.markup, name)};
}

Html element(std::string_view name, const Html& content) { return element(name, {}, content); }

/// An element with nothing in it but text, which is what most have.
Html element(std::string_view name, std::string_view plain) { return element(name, text(plain)); }

/// An element that never has content, such as <meta>.
Html void_element(std::string_view name, Attributes attributes) {
  return {opening(name, attributes) + "/>"};
}

Html html_of(const Paragraph& paragraph) {
  if (!paragraph.is_caution) return element("p", paragraph.text);
  return element("p", {{"class", "caution"}},
                 element("strong", "Caution: ") + text(paragraph.text));
}

Html html_of(const Bullets& bullets) {
  Html items;
  for (const std::string& item : bullets.items) items += element("li", item);
  return element("ul", items);
}

Html row_of(const std::vector<std::string>& fields) {
  Html cells;
  for (const std::string& field : fields) {
    cells += &field == fields.data() ? element("th", {{"scope", "row"}}, text(field))
                                     : element("td", field);
  }
  return element("tr", cells);
}

/// Lets content that is wider than the screen scroll without the page, also by keyboard.
Html scrolling(const std::string& label, const Html& content) {
  return element("div",
                 {{"class", "wide"}, {"role", "region"}, {"aria-label", label}, {"tabindex", "0"}},
                 content);
}

Html html_of(const Table& table) {
  Html head;
  for (const std::string& name : table.header) {
    head += element("th", {{"scope", "col"}}, text(name));
  }
  Html body;
  for (const auto& row : table.rows) body += row_of(row);
  const Html whole =
      element("table", element("caption", table.caption) + element("thead", element("tr", head)) +
                           element("tbody", body));
  if (!table.is_folded) return scrolling(table.caption, whole);
  return element("details", element("summary", table.caption) + scrolling(table.caption, whole));
}

Html html_of(const Picture& picture) {
  const Html drawing = scrolling(
      picture.title, void_element("img", {{"src", data_uri("image/svg+xml", picture.svg)},
                                          {"alt", picture.title + ": " + picture.description}}));
  const Html downloads = element(
      "p", {{"class", "downloads"}},
      element("a",
              {{"href", data_uri("text/csv", picture.csv)}, {"download", picture.name + ".csv"}},
              text("Data as CSV")) +
          text(" · ") +
          element("a", {{"href", fmt::format("plots/{}.svg", picture.name)}},
                  text("Picture as SVG")));
  return element(
      "figure", {{"id", picture.name}},
      drawing + element("figcaption", picture.description) + html_of(picture.data) + downloads);
}

Html html_of(const Gallery& gallery) {
  Html pictures;
  for (const Picture& picture : gallery.pictures) pictures += html_of(picture);
  return element("div", {{"class", "gallery"}}, pictures);
}

Html html_of(const Section& section) {
  const std::string heading_id = section.id + "-heading";
  Html content = element("h2", {{"id", heading_id}}, text(section.heading));
  for (const Block& block : section.blocks) {
    content += std::visit([](const auto& one) { return html_of(one); }, block);
  }
  return element("section", {{"id", section.id}, {"aria-labelledby", heading_id}}, content);
}

Html head_of(const Document& document) {
  return element("head",
                 void_element("meta", {{"charset", "utf-8"}}) +
                     void_element("meta", {{"name", "viewport"},
                                           {"content", "width=device-width, initial-scale=1"}}) +
                     void_element("meta", {{"name", "color-scheme"}, {"content", "light dark"}}) +
                     void_element("link", {{"rel", "icon"}, {"href", "data:,"}}) +
                     element("title", document.title) + element("style", Html{kReportStyle}));
}

Html contents_of(const Document& document) {
  Html links;
  for (const Section& section : document.sections) {
    links += element("li", element("a", {{"href", "#" + section.id}}, text(section.heading)));
  }
  return element("nav", {{"aria-label", "Contents"}}, element("ul", links));
}

/// Escapes text for Markdown, inside a table too.
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

std::string html_page(const Document& document) {
  Html sections;
  for (const Section& section : document.sections) sections += html_of(section);
  const Html body =
      element("a", {{"class", "skip"}, {"href", "#content"}}, text("Skip to the answer")) +
      element("header", element("h1", document.title) +
                            element("p", {{"class", "lead"}}, text(document.lead))) +
      contents_of(document) + element("main", {{"id", "content"}}, sections);
  const Html page = element("html", {{"lang", "en"}}, head_of(document) + element("body", body));
  return "<!DOCTYPE html>\n" + page.markup + "\n";
}

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
