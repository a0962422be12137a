#include <fuzzer/FuzzedDataProvider.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cassert>

#include "backends/parts/failure.hpp"
#include "server/cli/cli.hpp"

namespace muxlab::cli {
namespace {

constexpr Range kRange = {2, 100};

bool is_in_range(std::uint64_t value) { return value >= kRange.min && value <= kRange.max; }

bool is_list(const std::vector<std::string>& items) {
  return !items.empty() && std::ranges::none_of(items, &std::string::empty);
}

/// A program with one verb that has an option of every kind.
class Program {
 public:
  Program() {
    app_.require_subcommand(1);
    CLI::App& verb = add_verb(app_, "verb", "", [this] { ran_ = true; });
    add_count(verb, "--count", count_, kRange, "");
    add_size(verb, "--size", size_, kRange, "");
    add_duration(verb, "--duration", duration_, "").shows_default("long");
    add_counts(verb, "--counts", counts_, kRange, "");
    add_list(verb, "--list", list_, "");
    add_text(verb, "--optional", optional_, "TEXT", "");
    add_texts(verb, "--texts", texts_, "");
    add_list(verb, "--names", names_, "").one_of({"a", "b"});
    const Option flag = add_flag(verb, "--flag", flag_, "");
    add_flag(verb, "--other", other_, "").excludes(flag);
    add_text(verb, "TEXT", text_, "TEXT", "").required();
  }

  /// Parses as muxlab.cpp does. Any other exception is a finding.
  void parse(const std::vector<std::string>& words) {
    std::vector<const char*> argv = {"muxlab"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    try {
      app_.parse(static_cast<int>(argv.size()), argv.data());
    } catch (const CLI::CallForHelp&) {
      assert(!app_.help().empty());
      return;
    } catch (const CLI::ParseError&) {
      return;
    } catch (const Failure& failure) {
      assert(failure.code() == ExitCode::usage);
      return;
    }
    check();
  }

 private:
  void check() {
    const CLI::App& verb = verb_of(app_, "verb");
    assert(ran_);
    assert(is_in_range(count_) && is_in_range(size_) && std::ranges::all_of(counts_, is_in_range));
    assert(is_given(verb, "--count") || count_ == kRange.min);
    assert(is_given(verb, "--size") || size_ == kRange.max);
    assert(duration_.count() >= 0);
    assert(!counts_.empty() && is_list(list_));
    assert(is_given(verb, "--optional") == optional_.has_value());
    assert(is_given(verb, "--texts") == !texts_.empty());
    assert(
        std::ranges::all_of(names_, [](const auto& name) { return name == "a" || name == "b"; }));
    assert(!is_given(verb, "--flag") || !is_given(verb, "--other"));
    assert(is_given(verb, "TEXT"));
  }

  CLI::App app_;
  bool ran_ = false;
  std::uint64_t count_ = kRange.min;
  std::uint64_t size_ = kRange.max;
  std::chrono::nanoseconds duration_ = std::chrono::seconds(5);
  std::vector<std::uint64_t> counts_ = {10, 20};
  std::vector<std::string> list_ = {"a", "b"};
  std::string text_;
  std::optional<std::string> optional_;
  std::vector<std::string> texts_, names_;
  bool flag_ = false;
  bool other_ = false;
};

/// Returns the result of `parse`, or nothing when it rejects the text as a usage error.
template <typename Parse>
auto read(Parse parse, const std::string& text) -> std::optional<decltype(parse(text))> {
  try {
    return parse(text);
  } catch (const Failure& failure) {
    assert(failure.code() == ExitCode::usage);
    return std::nullopt;
  }
}

/// Checks that a formatted value parses to the same value.
void check_shown(std::uint64_t count) { assert(read(parse_count, show_count(count)) == count); }
void check_shown(std::chrono::nanoseconds duration) {
  // Durations are formatted as a double, which holds 15 decimal digits: in nanoseconds, 11 days.
  if (duration >= std::chrono::nanoseconds(1'000'000'000'000'000)) return;
  assert(read(parse_duration, show_duration(duration)) == duration);
}

void check_text(const std::string& text) {
  read(parse_size, text);
  if (const auto list = read(parse_list, text)) assert(is_list(*list));
  if (const auto count = read(parse_count, text)) check_shown(*count);
  if (const auto duration = read(parse_duration, text)) check_shown(*duration);
}

/// Returns a word for a command line, mostly a valid or almost valid word.
std::string next_word(FuzzedDataProvider& script) {
  static constexpr const char* kWords[] = {
      "--count",    "--names", "--size",   "--duration", "--counts", "--list",
      "--optional", "--texts", "--flag",   "--other",    "--help",   "--",
      "-",          "verb",    "--count=", "--size=",    "--list=",  "--counts=",
      "--flag=",    "",        "a,b",      "0.1k"};
  switch (script.ConsumeIntegralInRange(0, 3)) {
    case 1:
      return std::to_string(script.ConsumeIntegralInRange<std::uint64_t>(0, kRange.max + 10));
    case 2:
      return std::string(script.PickValueInArray(kWords)) + script.ConsumeRandomLengthString(24);
    default:
      return script.PickValueInArray(kWords);
  }
}

std::vector<std::string> next_words(FuzzedDataProvider& script) {
  std::vector<std::string> words;
  if (!script.ConsumeBool()) words.emplace_back("verb");
  while (script.remaining_bytes() > 0) words.push_back(next_word(script));
  return words;
}

}  // namespace
}  // namespace muxlab::cli

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider script(data, size);
  const auto number = script.ConsumeIntegralInRange<std::int64_t>(0, INT64_MAX);
  muxlab::cli::check_shown(static_cast<std::uint64_t>(number));
  muxlab::cli::check_shown(
      std::chrono::nanoseconds(number >> script.ConsumeIntegralInRange(0, 63)));
  muxlab::cli::check_text(script.ConsumeRandomLengthString(32));
  muxlab::cli::Program().parse(muxlab::cli::next_words(script));
  return 0;
}
