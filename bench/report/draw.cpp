#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "backends/failure.hpp"
#include "bench/campaign_files.hpp"
#include "bench/process.hpp"
#include "bench/report/plots.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

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
                fmt::format("no plots: there is no {}, and no scripts/plots in a folder above {}",
                            candidates.front().string(), program.string()));
}

/// Runs the gnuplot file `script` in `folder`. The drawing comes through a pipe, so that nothing
/// that is cut off, by a full disk above all, takes the place of a whole picture.
std::string run_gnuplot(const Path& scripts, const std::string& script, const Path& folder,
                        std::vector<std::string> arguments, const std::string& name) {
  // Default settings: somebody's ~/.gnuplot must not change the picture.
  std::vector<std::string> words = {"gnuplot", "--default-settings", "-c",
                                    std::filesystem::absolute(scripts / (script + ".gp"))};
  words.insert(words.end(), arguments.begin(), arguments.end());
  Process gnuplot(Command{.words = std::move(words), .processors = {}, .folder = folder});
  const auto ended = [&] { return gnuplot.exit_code().has_value(); };
  wait_for(gnuplot, -1, Clock::now() + std::chrono::seconds(60), ended);
  if (gnuplot.exit_code() == 127) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("gnuplot cannot be run: install gnuplot-nox, then muxlab report {}",
                              folder.string()));
  }
  const std::string& drawing = gnuplot.output().text();
  const bool is_whole = drawing.starts_with("<?xml") && drawing.ends_with("</svg>\n\n");
  if (gnuplot.exit_code() != 0 || !is_whole) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("gnuplot did not draw {}: {}", name, gnuplot.last_words()));
  }
  return drawing;
}

}  // namespace

std::string draw_svg(const Path& folder, const std::string& script,
                     std::vector<std::string> arguments) {
  return run_gnuplot(find_scripts(), script, folder, std::move(arguments), script);
}

std::string draw_plot(const Path& folder, const Plot& plot, const PlotFrame& frame) {
  std::string conditions;
  for (const auto& [column, value] : plot.conditions) {
    conditions += fmt::format("{}{}={}", conditions.empty() ? "" : " ", column, value);
  }
  std::string drawing =
      run_gnuplot(find_scripts(), plot.script, folder,
                  {"summary.csv", "/dev/stdout", plot.axis, conditions, frame.caption,
                   frame.crowded_from ? fmt::format("{:.3f}", *frame.crowded_from) : ""},
                  plot.name);
  write_whole(folder / "plots" / (plot.name + ".svg"), drawing);
  return drawing;
}

}  // namespace muxlab
