#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace muxlab {

/// An element of a page, and all text below it as a reader sees it.
struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;
  std::size_t parent = 0;  ///< where it stands in the list; the first is its own
};

/// A parser that forgives nothing: a browser would guess, and guess differently from another.
class MarkupParser {
 public:
  /// Every element of `page` in its order. Throws std::runtime_error for anything that is not XML,
  /// but for the document type of HTML.
  static std::vector<Element> parse(std::string_view page) {
    MarkupParser parser(page);
    constexpr std::string_view kType = "<!DOCTYPE html>\n";
    if (!page.starts_with(kType)) parser.fail("no document type");
    parser.rest_.remove_prefix(kType.size());
    while (!parser.open_.empty() || parser.elements_.empty()) parser.step();
    if (parser.rest_ != "\n") parser.fail("something behind the end");
    return parser.elements_;
  }

 private:
  explicit MarkupParser(std::string_view page) : page_(page), rest_(page) {}

  [[noreturn]] void fail(const std::string& why) const {
    const std::size_t at = page_.size() - rest_.size();
    throw std::runtime_error(why + " before \"" + std::string(page_.substr(at, 60)) + "\"");
  }

  std::string_view take(std::string_view end) {
    const std::size_t size = rest_.find(end);
    if (size == std::string_view::npos) fail("no " + std::string(end));
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size + end.size());
    return taken;
  }

  void step() {
    const std::string text = decoded(take("<"));
    for (const std::size_t place : open_) elements_[place].text += text;
    if (open_.empty() && text.find_first_not_of('\n') != std::string::npos) fail("text outside");
    if (rest_.starts_with('/')) return close();
    open();
  }

  void close() {
    rest_.remove_prefix(1);
    const std::string_view name = take(">");
    if (open_.empty() || elements_[open_.back()].name != name) fail("wrong end of an element");
    open_.pop_back();
  }

  void open() {
    const std::size_t size = rest_.find_first_of(" />");
    Element element{std::string(rest_.substr(0, size)), {}, "", open_.empty() ? 0 : open_.back()};
    const bool is_name =
        std::ranges::all_of(element.name, [](unsigned char c) { return std::isalnum(c) != 0; });
    if (element.name.empty() || !is_name) fail("not an element");
    rest_.remove_prefix(size);
    while (rest_.starts_with(' ')) {
      rest_.remove_prefix(1);
      std::string key(take("=\""));
      if (!element.attributes.try_emplace(std::move(key), decoded(take("\""))).second) {
        fail("an attribute twice");
      }
    }
    const bool is_empty = rest_.starts_with('/');
    if (is_empty) rest_.remove_prefix(1);
    if (!rest_.starts_with('>')) fail("no end of a tag");
    rest_.remove_prefix(1);
    elements_.push_back(std::move(element));
    if (!is_empty) open_.push_back(elements_.size() - 1);
  }

  [[nodiscard]] std::string decoded(std::string_view text) const {
    static const std::map<std::string_view, char> kReferences = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
    std::string plain;
    while (!text.empty()) {
      const std::size_t size = std::min(text.find('&'), text.size());
      plain += text.substr(0, size);
      text.remove_prefix(size);
      if (text.empty()) break;
      const std::size_t end = std::min(text.find(';'), text.size());
      const auto reference = kReferences.find(text.substr(1, end - 1));
      if (reference == kReferences.end()) fail("an unknown reference " + std::string(text));
      plain += reference->second;
      text.remove_prefix(end + 1);
    }
    return plain;
  }

  std::string_view page_;
  std::string_view rest_;
  std::vector<Element> elements_;
  std::vector<std::size_t> open_;
};

}  // namespace muxlab
