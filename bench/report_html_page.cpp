#include "bench/report_html_page.hpp"

#include <fmt/format.h>

#include "bench/report_html.hpp"
#include "bench/report_html_style.hpp"

namespace muxlab {
namespace {

using html::element;
using html::Html;
using html::text;

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

/// A table that is wider than the screen scrolls by itself, by keyboard too, and the page does not.
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
  Html scrolling = element(
      "div",
      {{"class", "wide"}, {"role", "region"}, {"aria-label", table.caption}, {"tabindex", "0"}},
      whole);
  if (!table.is_folded) return scrolling;
  return element("details", element("summary", table.caption) + scrolling);
}

Html html_of(const Picture& picture) {
  const Html drawing = element(
      "div",
      {{"class", "wide"}, {"role", "region"}, {"aria-label", picture.title}, {"tabindex", "0"}},
      html::void_element("img", {{"src", html::data_uri("image/svg+xml", picture.svg)},
                                 {"alt", picture.title + ": " + picture.description}}));
  const Html downloads = element(
      "p", {{"class", "downloads"}},
      element(
          "a",
          {{"href", html::data_uri("text/csv", picture.csv)}, {"download", picture.name + ".csv"}},
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
  return element(
      "head",
      html::void_element("meta", {{"charset", "utf-8"}}) +
          html::void_element(
              "meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}) +
          html::void_element("meta", {{"name", "color-scheme"}, {"content", "light dark"}}) +
          html::void_element("link", {{"rel", "icon"}, {"href", "data:,"}}) +
          element("title", document.title) +
          element("style", html::verbatim(std::string(report_style()))));
}

Html contents_of(const Document& document) {
  Html links;
  for (const Section& section : document.sections) {
    links += element("li", element("a", {{"href", "#" + section.id}}, text(section.heading)));
  }
  return element("nav", {{"aria-label", "Contents"}}, element("ul", links));
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
  return "<!DOCTYPE html>\n" + page.markup() + "\n";
}

}  // namespace muxlab
