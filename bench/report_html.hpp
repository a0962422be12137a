#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// HTML that is whole by construction: a text can only become a part of it through escape(), and
/// every element that is opened is closed. It is XML too, so that any parser can check it.
namespace muxlab::html {

class Html {
 public:
  Html() = default;
  Html& operator+=(const Html& more) {
    markup_ += more.markup_;
    return *this;
  }
  [[nodiscard]] friend Html operator+(Html first, const Html& second) { return first += second; }
  [[nodiscard]] const std::string& markup() const { return markup_; }

 private:
  friend Html verbatim(std::string markup);
  std::string markup_;
};

using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// For what is markup already: a style sheet.
Html verbatim(std::string markup);

/// Text as it is to be seen.
Html text(std::string_view plain);

/// <name attributes>content</name>
Html element(std::string_view name, Attributes attributes, const Html& content);
Html element(std::string_view name, const Html& content);
/// An element with nothing in it but text, which is what most have.
Html element(std::string_view name, std::string_view plain);

/// An element that never has content, such as <meta>.
Html void_element(std::string_view name, Attributes attributes);

/// The five characters that markup is made of, as references; characters that no document may hold
/// are left out.
std::string escape(std::string_view plain);

/// A link that holds what it leads to (RFC 2397), for an attribute. Spaces stay as they are, which
/// browsers accept, because a drawing is a fourth shorter then.
std::string data_uri(std::string_view media_type, std::string_view data);

}  // namespace muxlab::html
