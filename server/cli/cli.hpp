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

/// How every verb reads its options, so that `10k` or `500ms` means the same everywhere. CLI11 does
/// the work, behind this file.
namespace muxlab::cli {

/// "64", "10k", "1m": k is 1,000 and m is 1,000,000. Throws Failure (usage).
std::uint64_t parse_count(std::string_view text);
/// "64", "4k", "1m" in bytes: k is 1,024 and m is 1,048,576. Throws Failure (usage).
std::uint64_t parse_size(std::string_view text);
/// "250us", "500ms", "5s", "1.5s", "2m" (minutes) or "0". Throws Failure (usage).
std::chrono::nanoseconds parse_duration(std::string_view text);
/// "5%", "0.5%": above 0 % and below 100 %, as a share of 1. Throws Failure (usage).
double parse_percentage(std::string_view text);
/// "a,b,c" without empty items. Throws Failure (usage).
std::vector<std::string> parse_list(std::string_view text);

/// Inclusive bounds; a value outside them is a usage error that names them.
struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

/// A verb of the program; `run` is called when its options are read.
CLI::App& add_verb(CLI::App& program, const std::string& name, const std::string& help,
                   std::function<void()> run);

/// Something to type or a file, and what is to be said of it.
struct Entry {
  std::string name;
  std::string meaning;
};

/// What there is to say of a verb beyond its options, for the end of its help text. Manual pages
/// are made from the help texts.
struct Manual {
  std::string description;  ///< sentences, beyond the help that the verb was added with
  std::vector<Entry> examples = {};
  std::vector<Entry> files = {};
  std::vector<Entry> environment = {};
  std::string details = {};  ///< lines to be shown as they are
};
/// Of a verb, or of the program, which is a Verb as well.
void explain(CLI::App& verb, const Manual& manual);

/// Those of every verb: backends/parts/failure.hpp.
const std::vector<Entry>& exit_codes();

/// What else can be said of an option that was added.
class Option {
 public:
  Option(CLI::App& verb, CLI::Option* option) : verb_(&verb), option_(option) {}
  Option& required();
  Option& excludes(const Option& other);
  /// What the help text says is the default, where the value itself cannot.
  Option& shows_default(const std::string& text);
  /// The values that it may have, or that may be in its list; another is a usage error that names
  /// these.
  Option& one_of(std::vector<std::string> names);
  /// Values to offer on completion; what else it takes is for others to check.
  Option& suggests(std::vector<std::string> names);

 private:
  CLI::App* verb_;
  CLI::Option* option_;
};

/// Options that keep what `value` holds as their default and show it in the help text.
Option add_count(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                 const std::string& help);
Option add_size(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                const std::string& help);
Option add_duration(CLI::App& verb, const std::string& name, std::chrono::nanoseconds& value,
                    const std::string& help);
/// As a share of 1; `value` is 0 where the help text is to show no default.
Option add_percentage(CLI::App& verb, const std::string& name, double& value,
                      const std::string& help);
Option add_counts(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                  Range range, const std::string& help);
Option add_sizes(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                 Range range, const std::string& help);
Option add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                const std::string& help);
/// `type` is the word that stands for the value in the help text, such as NAME or FILE. A `name`
/// without dashes is not an option but what stands by itself on the command line.
Option add_text(CLI::App& verb, const std::string& name, std::string& value,
                const std::string& type, const std::string& help);
Option add_text(CLI::App& verb, const std::string& name, std::optional<std::string>& value,
                const std::string& type, const std::string& help);
Option add_texts(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                 const std::string& help);
Option add_flag(CLI::App& verb, const std::string& name, bool& value, const std::string& help);

/// A descriptor that this process has inherited from a program that runs it, so that the help text
/// leaves the option out. One that is not open is a usage error.
void add_descriptor(CLI::App& verb, const std::string& name, int& value);
/// An option that was removed: the help text leaves it out, and giving it, with a value or without,
/// is a usage error that says `instead`.
void add_removed(CLI::App& verb, const std::string& name, const std::string& instead);

/// The verb that was added under that name.
CLI::App& verb_of(CLI::App& program, const std::string& name);
/// Whether the option was on the command line.
bool is_given(const CLI::App& verb, const std::string& name);

/// The inverse of parse_count and parse_duration for messages: 10000 -> "10k", 1500ms -> "1.5s".
std::string show_count(std::uint64_t count);
std::string show_duration(std::chrono::nanoseconds duration);

}  // namespace muxlab::cli
