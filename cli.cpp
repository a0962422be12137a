#include "cli.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "backends/failure.hpp"

namespace muxlab::cli {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit kCountUnits[] = {{"", 1}, {"k", 1'000}, {"m", 1'000'000}};
constexpr Unit kSizeUnits[] = {{"", 1}, {"k", 1 << 10}, {"m", 1 << 20}};
constexpr Unit kDurationUnits[] = {
    {"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}};

[[noreturn]] void reject(std::string_view text, std::string_view expected) {
  throw Failure(ExitCode::usage, fmt::format("\"{}\" is not {}", text, expected));
}

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

/// digits[.digits]unit, and nothing else; nothing when it is not that or does not fit 63 bits.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  const std::string_view digits = text.substr(0, end);
  const std::string unit_name = lower_case(end == text.npos ? "" : text.substr(end));
  double number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number,
                                      std::chars_format::fixed);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    const double value = number * static_cast<double>(unit.factor);
    const bool whole = value == std::floor(value);
    if (!whole || value >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) break;
    return static_cast<std::uint64_t>(value);
  }
  return std::nullopt;
}

void check_range(const std::string& name, std::uint64_t value, Range range) {
  if (value >= range.min && value <= range.max) return;
  throw Failure(ExitCode::usage, fmt::format("{} {} is out of range: from {} to {}", name, value,
                                             range.min, range.max));
}

/// Every option is read through here, so that each message names its option.
template <typename Read>
CLI::Option* add_parsed(CLI::App& verb, const std::string& name, std::string shown_default,
                        const std::string& type, const std::string& help, Read read) {
  auto* option = verb.add_option_function<std::string>(
      name,
      [name, read](const std::string& text) {
        try {
          read(text);
        } catch (const Failure& failure) {
          const std::string_view message = failure.what();
          if (message.starts_with("--")) throw;
          throw Failure(failure.code(), fmt::format("{} {}", name, message));
        }
      },
      help);
  option->type_name(type);
  if (!shown_default.empty()) option->default_str(shown_default);
  return option;
}

}  // namespace

std::uint64_t parse_count(std::string_view text) {
  if (const auto value = parse_with_unit(text, kCountUnits)) return *value;
  reject(text, "a count such as 64, 10k or 1m");
}

std::uint64_t parse_size(std::string_view text) {
  if (const auto value = parse_with_unit(text, kSizeUnits)) return *value;
  reject(text, "a size in bytes such as 64, 4k or 1m");
}

std::chrono::nanoseconds parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds{0};
  if (const auto value = parse_with_unit(text, kDurationUnits)) {
    return std::chrono::nanoseconds{*value};
  }
  reject(text, "a duration such as 500ms, 5s or 0");
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    if (comma == begin) reject(text, "a list such as a,b,c");
    items.emplace_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return items;
}

CLI::Option* add_count(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                       const std::string& help) {
  return add_parsed(verb, name, show_count(value), "COUNT", help,
                    [&value, name, range](const std::string& text) {
                      value = parse_count(text);
                      check_range(name, value, range);
                    });
}

CLI::Option* add_size(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                      const std::string& help) {
  return add_parsed(verb, name, fmt::to_string(value), "BYTES", help,
                    [&value, name, range](const std::string& text) {
                      value = parse_size(text);
                      check_range(name, value, range);
                    });
}

CLI::Option* add_duration(CLI::App& verb, const std::string& name, std::chrono::nanoseconds& value,
                          const std::string& help) {
  return add_parsed(verb, name, show_duration(value), "DURATION", help,
                    [&value](const std::string& text) { value = parse_duration(text); });
}

CLI::Option* add_counts(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                        Range range, const std::string& help) {
  std::vector<std::string> shown;
  for (const std::uint64_t value : values) shown.push_back(show_count(value));
  return add_parsed(verb, name, fmt::format("{}", fmt::join(shown, ",")), "COUNT,...", help,
                    [&values, name, range](const std::string& text) {
                      std::vector<std::uint64_t> parsed;
                      for (const std::string& item : parse_list(text)) {
                        parsed.push_back(parse_count(item));
                        check_range(name, parsed.back(), range);
                      }
                      values = std::move(parsed);
                    });
}

CLI::Option* add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                      const std::string& help) {
  return add_parsed(verb, name, fmt::format("{}", fmt::join(values, ",")), "NAME,...", help,
                    [&values](const std::string& text) { values = parse_list(text); });
}

std::string show_count(std::uint64_t count) {
  if (count > 0 && count % 1'000'000 == 0) return fmt::format("{}m", count / 1'000'000);
  if (count > 0 && count % 1'000 == 0) return fmt::format("{}k", count / 1'000);
  return fmt::to_string(count);
}

std::string show_duration(std::chrono::nanoseconds duration) {
  const auto ns = duration.count();
  if (ns == 0) return "0";
  if (ns % 1'000'000 != 0) return fmt::format("{}us", static_cast<double>(ns) / 1e3);
  if (ns < 1'000'000'000) return fmt::format("{}ms", ns / 1'000'000);
  return fmt::format("{}s", static_cast<double>(ns) / 1e9);
}

}  // namespace muxlab::cli
