#include "bench/report_html_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace muxlab {
namespace {

using std::string_view;

constexpr std::array<string_view, 18> kDrawingElements = {
    "svg",  "g",    "defs", "path", "rect",     "circle",  "ellipse", "polygon", "polyline",
    "line", "text", "use",  "desc", "clipPath", "pattern", "tspan",   "title",   "linearGradient"};

struct Attribute {
  string_view name;
  std::string value;  ///< escaped already
};

struct Tag {
  string_view name;
  std::vector<Attribute> attributes;
  bool is_closing = false;
  bool is_empty = false;
};

[[noreturn]] void reject_drawing(string_view why, string_view what) {
  throw std::runtime_error(fmt::format("a drawing of gnuplot has {} \"{}\"", why, what));
}

/// What stands in `text` up to `end`, which is taken away too.
string_view take_until(string_view& text, string_view end) {
  const std::size_t size = text.find(end);
  if (size == string_view::npos) reject_drawing("no", end);
  const string_view taken = text.substr(0, size);
  text.remove_prefix(size + end.size());
  return taken;
}

void trim(string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

/// From what stands between the angle brackets.
Tag parse_tag(string_view inside) {
  Tag tag;
  if (inside.starts_with('/')) {
    inside.remove_prefix(1);
    tag.is_closing = true;
  }
  if (inside.ends_with('/')) {
    inside.remove_suffix(1);
    tag.is_empty = true;
  }
  tag.name = inside.substr(0, inside.find_first_of(" \t\r\n"));
  inside.remove_prefix(tag.name.size());
  for (trim(inside); !inside.empty(); trim(inside)) {
    string_view name = take_until(inside, "=");
    name = name.substr(0, name.find(' '));  // gnuplot puts some around the fill of a box
    trim(inside);
    const string_view quote = inside.substr(0, 1);
    if (quote != "\"" && quote != "'") reject_drawing("an attribute without quotes", name);
    inside.remove_prefix(1);
    const string_view value = take_until(inside, quote);
    if (name.starts_with("xlink:")) name.remove_prefix(6);
    tag.attributes.push_back({name, std::string(value)});
  }
  return tag;
}

/// Makes what an attribute says of itself or of another element of the drawing unique in the page.
/// False for one that is to be left out.
bool adapt(Attribute& attribute, string_view name) {
  if (attribute.name.starts_with("xmlns") || attribute.name.starts_with("xml:")) return false;
  if (attribute.name.starts_with("on")) reject_drawing("a script in", attribute.name);
  if (attribute.name == "id") attribute.value = fmt::format("{}-{}", name, attribute.value);
  if (attribute.name == "href") {
    if (!attribute.value.starts_with('#')) reject_drawing("a link to", attribute.value);
    attribute.value = fmt::format("#{}-{}", name, attribute.value.substr(1));
  }
  constexpr string_view kReference = "url(";
  const std::size_t reference = attribute.value.find(kReference);
  if (reference == std::string::npos) return true;
  const std::size_t target = reference + kReference.size();
  if (attribute.value.substr(target, 1) != "#") reject_drawing("a link to", attribute.value);
  attribute.value.insert(target + 1, fmt::format("{}-", name));
  return true;
}

std::string rendered(Tag tag, string_view name) {
  if (std::ranges::find(kDrawingElements, tag.name) == kDrawingElements.end()) {
    reject_drawing("the element", tag.name);
  }
  if (tag.is_closing) return fmt::format("</{}>", tag.name);
  std::string markup = fmt::format("<{}", tag.name);
  for (Attribute& attribute : tag.attributes) {
    if (!adapt(attribute, name)) continue;
    if (attribute.value.find('"') != std::string::npos) reject_drawing("quotes in", attribute.name);
    markup += fmt::format(" {}=\"{}\"", attribute.name, attribute.value);
  }
  return markup + (tag.is_empty ? "/>" : ">");
}

bool is_sheet(const Tag& tag) {
  const auto has = [&](string_view name, string_view value) {
    return std::ranges::any_of(tag.attributes, [&](const Attribute& attribute) {
      return attribute.name == name && attribute.value == value;
    });
  };
  return tag.name == "rect" && has("x", "0") && has("y", "0") && has("fill", "#ffffff");
}

/// Past an element of which nothing is wanted: filters of what is not there, titles that gnuplot
/// makes up for what has none, which a browser would show.
bool skip(string_view& drawing, const Tag& tag) {
  const bool is_made_up = drawing.starts_with("Gnuplot<") || drawing.starts_with("gnuplot_plot_");
  const bool is_unwanted =
      tag.name == "filter" || tag.name == "desc" || (tag.name == "title" && is_made_up);
  if (is_unwanted) take_until(drawing, fmt::format("</{}>", tag.name));
  return is_unwanted;
}

html::Html labels(string_view name, string_view title, string_view description) {
  return html::element("title", {{"id", fmt::format("{}-title", name)}}, html::text(title)) +
         html::element("desc", {{"id", fmt::format("{}-desc", name)}}, html::text(description));
}

}  // namespace

html::Html inline_svg(string_view drawing, string_view name, string_view title,
                      string_view description) {
  take_until(drawing, "<svg");  // past what only a file begins with
  const std::string inside = fmt::format("svg {}", take_until(drawing, ">"));
  Tag outermost = parse_tag(inside);
  outermost.attributes.push_back({"role", "img"});
  outermost.attributes.push_back({"aria-labelledby", fmt::format("{0}-title {0}-desc", name)});
  std::string markup = rendered(outermost, name) + labels(name, title, description).markup();
  for (Tag tag; tag.name != "svg";) {
    markup += take_until(drawing, "<");
    if (drawing.starts_with("!--")) {
      take_until(drawing, "-->");
      continue;
    }
    tag = parse_tag(take_until(drawing, ">"));
    if (!is_sheet(tag) && !skip(drawing, tag)) markup += rendered(tag, name);
  }
  return html::verbatim(std::move(markup));
}

}  // namespace muxlab
