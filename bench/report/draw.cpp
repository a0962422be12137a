#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "backends/parts/failure.hpp"
#include "backends/parts/process.hpp"
#include "bench/data/files.hpp"
#include "bench/report/plots.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// For one picture; usually it takes a tenth of a second.
constexpr std::chrono::seconds kPatience{20};

/// Line ends stay.
std::string without_controls(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == 0x7f; },
      ' ');
  return text;
}

bool has_scripts(const Path& folder) { return std::filesystem::exists(folder / "style.gp"); }

/// The checkout that the build folder around the executable was configured for; empty if unknown.
Path configured_checkout(const Path& build) {
  constexpr std::string_view key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
  std::ifstream cache(build / "CMakeCache.txt");
  for (std::string line; std::getline(cache, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

/// share/muxlab/plots of the executable's prefix, or scripts/plots of the checkout around it or,
/// with a build folder elsewhere, of the checkout that it was built from.
Path find_scripts() {
  const Path program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::vector<Path> candidates = {program.parent_path() / "share/muxlab/plots"};
  for (Path folder = program; folder != folder.parent_path(); folder = folder.parent_path()) {
    candidates.push_back(folder / "scripts/plots");
  }
  const Path checkout = configured_checkout(program);
  if (!checkout.empty()) candidates.push_back(checkout / "scripts/plots");
  const auto found = std::find_if(candidates.begin(), candidates.end(), has_scripts);
  if (found != candidates.end()) return *found;
  throw Failure(ExitCode::unavailable,
                fmt::format("there is no {}, and no scripts/plots in a folder above {}",
                            candidates.front().string(), program.string()));
}

}  // namespace

Gnuplot::Gnuplot(Path folder, int interrupt) : folder_(std::move(folder)), interrupt_(interrupt) {}

std::string Gnuplot::draw(const std::string& name, const std::string& script,
                          const std::string& data, std::vector<std::string> arguments) {
  if (!is_over_) {
    try {
      std::error_code error;
      std::filesystem::create_directory(folder_ / "plots", error);  // else the next line tells
      if (!data.empty()) {
        write_whole(folder_ / "plots" / (name + ".csv"), data);
        arguments.insert(arguments.begin(), "plots/" + name + ".csv");
      }
      std::string drawing = run(script, std::move(arguments));
      write_whole(folder_ / "plots" / (name + ".svg"), drawing);
      return drawing;
    } catch (const std::exception& error) {
      if (reason_.empty()) reason_ = fmt::format("{}: {}", name, error.what());
    }
  }
  ++missing_;
  return {};
}

std::string Gnuplot::why_missing() const {
  if (missing_ == 0) return {};
  return fmt::format("{} missing, first {}; muxlab report draws {} again",
                     missing_ == 1 ? "1 picture is" : fmt::format("{} pictures are", missing_),
                     one_line(reason_), missing_ == 1 ? "it" : "them");
}

/// All that it is given are names that are ours and are below its working folder, and texts that
/// it shows: it runs what a data file's name begins with `<` or `|` for.
std::string Gnuplot::run(const std::string& script, std::vector<std::string> arguments) {
  is_over_ = true;  // unless this one is drawn, or gnuplot refuses just this one
  // Nothing of the user's environment or of ~/.gnuplot may change the picture.
  std::vector<std::string> words = {"env", "-i", "LC_ALL=C"};
  if (const char* const path = std::getenv("PATH")) words.push_back(std::string("PATH=") + path);
  words.insert(words.end(), {"gnuplot", "--default-settings", "-c",
                             std::filesystem::absolute(find_scripts() / (script + ".gp"))});
  for (std::string& argument : arguments) words.push_back(without_controls(std::move(argument)));
  Process gnuplot(Command{.words = std::move(words), .processors = {}, .folder = folder_});
  const auto ended = [&] { return gnuplot.exit_code().has_value(); };
  const Wake wake = wait_for(gnuplot, interrupt_, Clock::now() + kPatience, ended);
  const auto fail = [](const std::string& why) { throw Failure(ExitCode::untrusted, why); };
  if (wake == Wake::interrupted) fail("interrupted");
  if (wake == Wake::deadline) fail(fmt::format("gnuplot took more than {} s", kPatience.count()));
  if (gnuplot.exit_code() == 127) fail("gnuplot cannot be run, install gnuplot-nox");
  is_over_ = false;
  // Through a pipe: a drawing cut off by a full disk must not replace a whole one.
  const std::string& drawing = gnuplot.output().text();
  const bool is_whole = drawing.starts_with("<?xml") && drawing.ends_with("</svg>\n\n");
  if (gnuplot.exit_code() != 0 || !is_whole) {
    fail(fmt::format("gnuplot ended with code {}: {}", gnuplot.exit_code().value_or(-1),
                     cut_to(gnuplot.last_words(), 200)));
  }
  return drawing;
}

std::string draw_plot(Gnuplot& gnuplot, const Plot& plot, const PlotFrame& frame) {
  std::string conditions;
  for (const auto& [column, value] : plot.conditions) {
    conditions += fmt::format("{}{}={}", conditions.empty() ? "" : " ", column, value);
  }
  return gnuplot.draw(plot.name, plot.script, "",
                      {"summary.csv", "/dev/stdout", plot.axis, conditions, frame.caption,
                       frame.crowded_from ? fmt::format("{:.3f}", *frame.crowded_from) : ""});
}

}  // namespace muxlab
