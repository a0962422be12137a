#include "backends/parts/machine_text.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace muxlab::machine {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::optional<std::string> read_text(const Path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (trim(text).empty()) return std::nullopt;
  return std::string(trim(text));
}

std::optional<std::string> value_in(const Path& file, std::string_view key, char separator) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || trim(std::string_view(line).substr(0, at)) != key) continue;
    std::string_view value = trim(std::string_view(line).substr(at + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return std::nullopt;
}

Json number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} ? Json(number) : Json();
}

Json text_of(const Path& file) {
  const auto text = read_text(file);
  return text ? Json(*text) : Json();
}

Json number_in(const Path& file) { return number_of(read_text(file).value_or("")); }

Json text_in(const Path& file, std::string_view key, char separator) {
  const auto value = value_in(file, key, separator);
  return value ? Json(*value) : Json();
}

Json numbers_in(const Path& file, std::size_t count) {
  std::istringstream words(read_text(file).value_or(""));
  const std::vector<std::uint64_t> numbers{std::istream_iterator<std::uint64_t>(words), {}};
  return numbers.size() == count ? Json(numbers) : Json();
}

Json words_in(const Path& file) {
  std::istringstream stream(read_text(file).value_or(""));
  const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
  return words.empty() ? Json() : Json(words);
}

}  // namespace muxlab::machine
