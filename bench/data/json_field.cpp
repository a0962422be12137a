#include "bench/data/json_field.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backends/parts/failure.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 32;

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  constexpr std::size_t kShown = 60;
  const std::string text = one_line(value.dump(-1, ' ', false, Json::error_handler_t::replace));
  return text.size() <= kShown ? text : std::string(cut_to(text, kShown)) + "…";
}

bool is_name(const std::string& text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

[[noreturn]] void fail_at(const std::string& text, std::size_t position, const std::string& origin,
                          const std::string& what) {
  const std::string_view before = std::string_view(text).substr(0, position);
  throw Failure(ExitCode::usage, fmt::format("{} line {} {}: restore the file, or measure again",
                                             origin, 1 + std::ranges::count(before, '\n'), what));
}

/// Limits the depth, because many functions of the library recurse for each level.
void check_depth(const std::string& text, const std::string& origin) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == '[' || c == '{')) {
      if (++depth > kDeepest) {
        fail_at(text, i, origin, fmt::format("nests values more than {} deep", kDeepest));
      }
    } else if (!in_text && (c == ']' || c == '}')) {
      --depth;
    }
  }
}

}  // namespace

JsonField JsonField::at(const std::string& key) const {
  if (!value_->is_object()) fail("an object");
  const auto found = value_->find(key);
  if (found == value_->end()) {
    throw BadField(fmt::format("{}/{} is missing", place_, key));
  }
  return JsonField(*found, place_ + "/" + key);
}

bool JsonField::flag() const {
  if (!value_->is_boolean()) fail("true or false");
  return value_->get<bool>();
}

/// Checks the type first, because the library converts 1.5 and -1 to unsigned numbers.
std::uint64_t JsonField::count(std::uint64_t least, std::uint64_t most) const {
  // A signed one is below 0, or was not read from a text.
  const bool is_count = value_->is_number_integer() &&
                        (value_->is_number_unsigned() || value_->get<std::int64_t>() >= 0);
  const std::uint64_t value = is_count ? value_->get<std::uint64_t>() : 0;
  if (!is_count || value < least || value > most) {
    fail(fmt::format("a whole number from {} to {}", least, most));
  }
  return value;
}

double JsonField::number(double least, double most) const {
  const double value = value_->is_number() ? value_->get<double>() : 0;
  if (!value_->is_number() || !(value >= least && value <= most)) {
    fail(fmt::format("a number from {:g} to {:g}", least, most));
  }
  return value;
}

std::string JsonField::text() const {
  if (!value_->is_string()) fail("a text");
  return one_line(value_->get_ref<const std::string&>());
}

std::string JsonField::name_or_empty() const {
  if (!value_->is_string() || !is_name(value_->get_ref<const std::string&>())) {
    fail("a name of small letters, digits and dashes");
  }
  return value_->get<std::string>();
}

std::string JsonField::name() const {
  std::string name = name_or_empty();
  if (name.empty()) fail("a name, which is not empty");
  return name;
}

void JsonField::fail(std::string_view expected) const {
  throw BadField(fmt::format("{} is {}: expected {}", place_.empty() ? "the document" : place_,
                             shown(*value_), expected));
}

Json parse_json(const std::string& text, const std::string& origin) {
  check_depth(text, origin);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    fail_at(text, error.byte > 0 ? error.byte - 1 : 0, origin, "is not JSON");
  } catch (const Json::out_of_range& error) {
    // The message has the number in quotes, but not its place.
    const std::string what = error.what();
    const std::size_t begin = what.find('\''), end = what.rfind('\'');
    const std::string number = begin < end ? what.substr(begin + 1, end - begin - 1) : "";
    fail_at(text, std::min(text.find(number), text.size()), origin,
            fmt::format("has a number that is too large, {}", one_line(number.substr(0, 40))));
  }
}

}  // namespace muxlab
