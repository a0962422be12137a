#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}

/// How every verb reads its options, so that `10k` or `500ms` means the same everywhere.
namespace muxlab::cli {

/// "64", "10k", "1m": k is 1,000 and m is 1,000,000. Throws Failure (usage).
std::uint64_t parse_count(std::string_view text);
/// "64", "4k", "1m" in bytes: k is 1,024 and m is 1,048,576. Throws Failure (usage).
std::uint64_t parse_size(std::string_view text);
/// "250us", "500ms", "5s", "1.5s", "2m" (minutes) or "0". Throws Failure (usage).
std::chrono::nanoseconds parse_duration(std::string_view text);
/// "a,b,c" without empty items. Throws Failure (usage).
std::vector<std::string> parse_list(std::string_view text);

/// Inclusive bounds; a value outside them is a usage error that names them.
struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

/// Options that keep what `value` holds as their default and show it in the help text.
CLI::Option* add_count(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                       const std::string& help);
CLI::Option* add_size(CLI::App& verb, const std::string& name, std::uint64_t& value, Range range,
                      const std::string& help);
CLI::Option* add_duration(CLI::App& verb, const std::string& name, std::chrono::nanoseconds& value,
                          const std::string& help);
CLI::Option* add_counts(CLI::App& verb, const std::string& name, std::vector<std::uint64_t>& values,
                        Range range, const std::string& help);
CLI::Option* add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
                      const std::string& help);

/// The inverse of parse_count and parse_duration for messages: 10000 -> "10k", 1500ms -> "1.5s".
std::string show_count(std::uint64_t count);
std::string show_duration(std::chrono::nanoseconds duration);

}  // namespace muxlab::cli
