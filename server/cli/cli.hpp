#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// Reads the options of every verb, so that `10k` or `500ms` means the same everywhere. Hides
/// CLI11.
namespace muxlab::cli {

/// Parses "64", "10k", "1m": k is 1,000 and m is 1,000,000. Throws Failure (usage).
std::uint64_t parse_count(std::string_view text);
/// Parses "64", "4k", "1m" in bytes: k is 1,024 and m is 1,048,576. Throws Failure (usage).
std::uint64_t parse_size(std::string_view text);
/// Parses "250us", "500ms", "5s", "1.5s", "2m" (minutes) or "0". Throws Failure (usage).
std::chrono::nanoseconds parse_duration(std::string_view text);
/// Parses "5%", "0.5%": above 0 % and below 100 %, as a share of 1. Throws Failure (usage).
double parse_percentage(std::string_view text);
/// Splits "a,b,c", without empty items. Throws Failure (usage).
std::vector<std::string> parse_list(std::string_view text);

/// Inclusive bounds; a value outside them is a usage error that names them.
struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

/// Adds a verb to the program. Calls `run` once its options are parsed.
CLI::App& add_verb(CLI::App& program, const std::string& name, const std::string& help,
                   std::function<void()> run);

/// An example or a file, with its explanation.
struct Entry {
  std::string name;
  std::string meaning;
};

/// The end of the help text of a verb. Manual pages are made from the help texts.
struct Manual {
  std::string description;  ///< sentences that extend the help of add_verb()
  std::vector<Entry> examples = {};
  std::vector<Entry> files = {};
  std::vector<Entry> environment = {};
  std::string details = {};  ///< lines, shown unchanged
};
/// Adds `manual` to the help text of a verb or of the program, which is a Verb too.
void explain(CLI::App& verb, const Manual& manual);

/// Returns the exit codes of all verbs: backends/parts/failure.hpp.
const std::vector<Entry>& exit_codes();

/// Adds properties to an option.
class Option {
 public:
  Option(CLI::App& verb, CLI::Option* option) : verb_(&verb), option_(option) {}
  Option& required();
  Option& excludes(const Option& other);
  /// Sets the default in the help text, where the value itself cannot show it.
  Option& shows_default(const std::string& text);
  /// Allows only `names` as the value or as list items. Another value is a usage error that lists
  /// them.
  Option& one_of(std::vector<std::string> names);
  /// Offers `names` on completion, but does not check the value.
  Option& suggests(std::vector<std::string> names);

 private:
  CLI::App* verb_;
  CLI::Option* option_;
};

/// Each adds an option. Its default is the present `value`, which the help text shows.
Option add_count(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                 const std::string& help);
Option add_size(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                const std::string& help);
Option add_duration(CLI::App& verb, const std::string& name, std::chrono::nanoseconds& value,
                    const std::string& help);
/// Adds a percentage, as a share of 1. With a `value` of 0 the help text shows no default.
Option add_percentage(CLI::App& verb, const std::string& name, double& value,
                      const std::string& help);
Option add_counts(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                  Range range, const std::string& help);
Option add_sizes(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                 Range range, const std::string& help);
Option add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                const std::string& help);
/// Adds a text. `type` stands for the value in the help text, such as NAME or FILE. A `name`
/// without dashes makes a positional argument.
Option add_text(CLI::App& verb, const std::string& name, std::string& value,
                const std::string& type, const std::string& help);
Option add_text(CLI::App& verb, const std::string& name, std::optional<std::string>& value,
                const std::string& type, const std::string& help);
Option add_texts(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                 const std::string& help);
Option add_flag(CLI::App& verb, const std::string& name, bool& value, const std::string& help);

/// Adds an inherited descriptor as a value. Only programs that run muxlab use it, so the help text
/// omits it. A closed descriptor is a usage error.
void add_descriptor(CLI::App& verb, const std::string& name, int& value);
/// Adds a removed option. The help text omits it. Using it, with or without a value, is a usage
/// error that says `instead`.
void add_removed(CLI::App& verb, const std::string& name, const std::string& instead);

/// Returns the verb of that name.
CLI::App& verb_of(CLI::App& program, const std::string& name);
/// Returns true when the option was on the command line.
bool is_given(const CLI::App& verb, const std::string& name);

/// Formats for messages, as the parsers read it: 10000 -> "10k", 1500ms -> "1.5s".
std::string show_count(std::uint64_t count);
std::string show_duration(std::chrono::nanoseconds duration);

}  // namespace muxlab::cli
