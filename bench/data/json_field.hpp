#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace muxlab {

/// A field is missing or invalid. One line with its place, its value and the expected value.
struct BadField : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A value of an untrusted JSON document, and its place in it. Borrows the document. Every function
/// throws BadField.
class JsonField {
 public:
  explicit JsonField(const nlohmann::ordered_json& value, std::string place = "")
      : value_(&value), place_(std::move(place)) {}

  [[nodiscard]] const nlohmann::ordered_json& value() const { return *value_; }
  /// Returns the value of `key`, which must exist.
  [[nodiscard]] JsonField at(const std::string& key) const;
  /// Calls `visit` with each element of an array of at most `most`.
  template <typename Visit>
  void each(std::size_t most, Visit visit) const {
    if (!value_->is_array() || value_->size() > most) {
      fail("an array of at most " + std::to_string(most));
    }
    std::size_t index = 0;
    for (const auto& element : *value_) {
      visit(JsonField(element, place_ + "/" + std::to_string(index++)));
    }
  }

  [[nodiscard]] bool flag() const;
  /// A whole number.
  [[nodiscard]] std::uint64_t count(std::uint64_t least, std::uint64_t most) const;
  [[nodiscard]] double number(double least, double most) const;
  /// Returns the text, with spaces instead of control characters.
  [[nodiscard]] std::string text() const;
  /// Accepts only lower-case letters, digits and dashes, because other programs get the name.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string name_or_empty() const;

  [[noreturn]] void fail(std::string_view expected) const;

 private:
  const nlohmann::ordered_json* value_;
  std::string place_;  ///< a JSON pointer, RFC 6901
};

/// Parses `text`. Throws Failure (usage), with `origin` and the line, for text that is not JSON,
/// numbers that do not fit a double, and values that are nested too deep.
nlohmann::ordered_json parse_json(const std::string& text, const std::string& origin);

}  // namespace muxlab
