#include "server/cli/cli.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include "backends/parts/failure.hpp"
#include "server/cli/text_layout.hpp"
#include "server/cli/verb.hpp"

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

constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();

/// Returns the fraction .`digits` times `factor`, if that is whole. Uses no doubles: no double is
/// 1.001, and the nearest times 1000 is not 1001.
std::optional<std::uint64_t> scale_fraction(std::string_view digits, std::uint64_t factor) {
  std::uint64_t scaled = 0;
  for (; !digits.empty(); digits.remove_suffix(1)) {
    if (digits.back() == '.') return std::nullopt;
    scaled += static_cast<std::uint64_t>(digits.back() - '0') * factor;
    if (scaled % 10 != 0) return std::nullopt;
    scaled /= 10;
  }
  return scaled;
}

/// Returns `number`, of digits and points, times `factor`, if that is whole and fits; never rounds.
std::optional<std::uint64_t> scale(std::string_view number, std::uint64_t factor) {
  if (number.empty() || number == ".") return std::nullopt;
  const std::size_t point = std::min(number.find('.'), number.size());
  std::uint64_t whole = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + point, whole);
  if (parsed.ec == std::errc::result_out_of_range || whole > kMax / factor) return std::nullopt;
  const auto fraction = scale_fraction(number.substr(std::min(point + 1, number.size())), factor);
  if (!fraction || *fraction > kMax - whole * factor) return std::nullopt;
  return whole * factor + *fraction;
}

/// Parses digits[.digits]unit, without leading or trailing characters.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto unit = std::ranges::find(units, lower_case(text.substr(end)), &Unit::name);
  return unit == units.end() ? std::nullopt : scale(text.substr(0, end), unit->factor);
}

void check_range(const std::string& name, std::uint64_t value, Range range) {
  if (value >= range.min && value <= range.max) return;
  throw Failure(ExitCode::usage, fmt::format("{} {} is out of range: from {} to {}", name, value,
                                             range.min, range.max));
}

/// Adds an option parsed by `read`. All options come through here: each message names its option.
template <typename Read>
Option add_parsed(CLI::App& verb, const std::string& name, std::string shown_default,
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
  return {verb, option};
}

/// Formats and parses the numbers of a list.
struct Notation {
  std::string (*show)(std::uint64_t);
  std::uint64_t (*parse)(std::string_view);
  const char* type;
};

Option add_numbers(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                   Range range, const std::string& help, const Notation& notation) {
  std::vector<std::string> shown(values.size());
  std::ranges::transform(values, shown.begin(), notation.show);
  return add_parsed(verb, name, fmt::format("{}", fmt::join(shown, ",")), notation.type, help,
                    [&values, name, range, notation](const std::string& text) {
                      std::vector<std::uint64_t> parsed;
                      for (const std::string& item : parse_list(text)) {
                        parsed.push_back(notation.parse(item));
                        check_range(name, parsed.back(), range);
                      }
                      values = std::move(parsed);
                    });
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

double parse_percentage(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool is_number = parsed.ec == std::errc{} && parsed.ptr + 1 == end && *parsed.ptr == '%';
  if (!is_number || !(value > 0 && value < 100)) {
    reject(text, "a percentage above 0% and below 100%, such as 3%");
  }
  return value / 100;
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

Option add_count(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                 const std::string& help) {
  return add_parsed(verb, name, show_count(value), "COUNT", help,
                    [&value, name, range](const std::string& text) {
                      value = parse_count(text);
                      check_range(name, value, range);
                    });
}

Option add_size(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                const std::string& help) {
  return add_parsed(verb, name, fmt::to_string(value), "BYTES", help,
                    [&value, name, range](const std::string& text) {
                      value = parse_size(text);
                      check_range(name, value, range);
                    });
}

Option add_duration(CLI::App& verb, const std::string& name, std::chrono::nanoseconds& value,
                    const std::string& help) {
  return add_parsed(verb, name, show_duration(value), "DURATION", help,
                    [&value](const std::string& text) { value = parse_duration(text); });
}

Option add_percentage(CLI::App& verb, const std::string& name, double& value,
                      const std::string& help) {
  return add_parsed(verb, name, value > 0 ? fmt::format("{:g}%", 100 * value) : "", "PERCENT", help,
                    [&value](const std::string& text) { value = parse_percentage(text); });
}

Option add_counts(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                  Range range, const std::string& help) {
  return add_numbers(verb, name, values, range, help, {show_count, parse_count, "COUNT,..."});
}

Option add_sizes(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                 Range range, const std::string& help) {
  const auto show = [](std::uint64_t bytes) { return fmt::to_string(bytes); };
  return add_numbers(verb, name, values, range, help, {show, parse_size, "BYTES,..."});
}

Option add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                const std::string& help) {
  return add_parsed(verb, name, fmt::format("{}", fmt::join(values, ",")), "NAME,...", help,
                    [&values](const std::string& text) { values = parse_list(text); });
}

Option add_text(CLI::App& verb, const std::string& name, std::string& value,
                const std::string& type, const std::string& help) {
  CLI::Option* const option = verb.add_option(name, value, help)->type_name(type);
  if (!value.empty()) option->default_str(value);
  return {verb, option};
}

Option add_text(CLI::App& verb, const std::string& name, std::optional<std::string>& value,
                const std::string& type, const std::string& help) {
  return {verb, verb.add_option(name, value, help)->type_name(type)};
}

Option add_texts(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                 const std::string& help) {
  return {verb, verb.add_option(name, values, help)};
}

Option add_flag(CLI::App& verb, const std::string& name, bool& value, const std::string& help) {
  return {verb, verb.add_flag(name, value, help)};
}

void add_descriptor(CLI::App& verb, const std::string& name, int& value) {
  verb.add_option_function<int>(name,
                                [name, &value](int fd) {
                                  value = fd;
                                  if (::fcntl(fd, F_GETFD) >= 0) return;
                                  throw Failure(
                                      ExitCode::usage,
                                      fmt::format("{} {} is not an open descriptor", name, fd));
                                })
      ->type_name("FD")
      ->group("");
}

void add_removed(CLI::App& verb, const std::string& name, const std::string& instead) {
  verb.add_option_function<std::vector<std::string>>(
          name,
          [name, instead](const std::vector<std::string>&) {
            throw Failure(ExitCode::usage, fmt::format("{} was removed: {}", name, instead));
          })
      ->expected(0, 1)
      ->group("");
}

CLI::App& add_verb(CLI::App& program, const std::string& name, const std::string& help,
                   std::function<void()> run) {
  auto verb = std::make_shared<Verb>(help, name);
  verb->footer(program.get_footer());
  verb->callback(std::move(run));
  return *program.add_subcommand(std::move(verb));
}

void explain(CLI::App& verb, const Manual& manual) {
  constexpr TextLayout kPage{.width = 80, .colour = false};
  std::string footer = kPage.wrap(manual.description, 0) + "\n\n";
  if (!manual.details.empty()) footer += manual.details + '\n';
  const auto add = [&](const char* heading, const std::vector<Entry>& entries) {
    if (entries.empty()) return;
    footer += fmt::format("{}:\n", heading);
    for (const Entry& one : entries) {
      footer += fmt::format("  {}\n{:6}{}\n", one.name, "", kPage.wrap(one.meaning, 6));
    }
    footer += '\n';
  };
  add("Examples", manual.examples);
  add("Files", manual.files);
  add("Environment", manual.environment);
  verb.footer(footer + verb.get_footer());
}

const std::vector<Entry>& exit_codes() {
  static const std::vector<Entry> codes = {
      {"0", "fine"},
      {"1", "failed"},
      {"2", "usage"},
      {"3", "a backend or a resource is not available here"},
      {"4", "finished, but some points failed or a precision was not reached"},
      {"5", "compare found a regression"},
      {"130, 143", "interrupted; the measurements so far are kept"},
  };
  return codes;
}

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option& Option::shows_default(const std::string& text) {
  option_->default_str(text);
  return *this;
}

Option& Option::one_of(std::vector<std::string> names) {
  option_->check([option = option_, names](const std::string& text) {
    const bool is_list = option->get_type_name().ends_with(",...");
    for (const std::string& item : is_list ? parse_list(text) : std::vector{text}) {
      if (std::ranges::count(names, item) > 0) continue;
      throw Failure(ExitCode::usage, fmt::format("{} {} is unknown: there are {}",
                                                 option->get_name(), item, fmt::join(names, ", ")));
    }
    return std::string();
  });
  return suggests(std::move(names));
}

Option& Option::suggests(std::vector<std::string> names) {
  dynamic_cast<Verb&>(*verb_).names[option_] = std::move(names);
  return *this;
}

CLI::App& verb_of(CLI::App& program, const std::string& name) {
  return *program.get_subcommand(name);
}

bool is_given(const CLI::App& verb, const std::string& name) { return verb.count(name) > 0; }

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
