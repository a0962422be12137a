#include "bench/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <string_view>

#include "backends/failure.hpp"
#include "bench/process.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// What each kind of picture shows; without a value it is not drawn, as it would be empty.
struct Script {
  const char* name;
  Metric metric;
};
constexpr std::array kScripts = {Script{"throughput", Metric::echoes_per_s},
                                 Script{"latency", Metric::latency_ns_p99},
                                 Script{"cpu", Metric::server_cpu_ns_per_echo}};

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
  candidates.push_back(configured_checkout(program) / "scripts/plots");
  const auto found = std::find_if(candidates.begin(), candidates.end(), has_scripts);
  if (found != candidates.end()) return *found;
  throw Failure(ExitCode::unavailable,
                fmt::format("no plots: there is no {}, and no scripts/plots in a folder above {}",
                            candidates.front().string(), program.string()));
}

void draw(const Path& scripts, const Path& folder, const Plot& plot, const std::string& caption) {
  const Path picture = folder / "plots" / (plot.name + ".svg");
  const Path temporary = picture.string() + ".tmp";
  // Default settings: somebody's ~/.gnuplot must not change the picture.
  Process gnuplot(Command{{"gnuplot", "--default-settings", "-c", scripts / (plot.script + ".gp"),
                           folder / "summary.csv", temporary, plot.axis, fmt::to_string(plot.fixed),
                           fmt::to_string(plot.idle), caption},
                          {},
                          {}});
  const auto ended = [&] { return gnuplot.exit_code().has_value(); };
  wait_for({&gnuplot}, -1, Clock::now() + std::chrono::seconds(60), ended);
  if (gnuplot.exit_code() == 127) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("gnuplot cannot be run: install gnuplot-nox, then muxlab report {}",
                              folder.string()));
  }
  if (gnuplot.exit_code() != 0) {
    throw Failure(ExitCode::unavailable, fmt::format("gnuplot did not draw {}: {}",
                                                     picture.string(), gnuplot.last_words()));
  }
  std::filesystem::rename(temporary, picture);
}

}  // namespace

std::vector<Plot> plots_of(std::span<const SummaryRow> rows) {
  std::set<std::uint64_t> threads, connections, idles;
  for (const SummaryRow& row : rows) {
    if (!row.is_measured()) continue;
    threads.insert(row.cell.threads);
    connections.insert(row.cell.connections);
    idles.insert(row.cell.idle);
  }
  std::vector<Plot> plots;
  constexpr std::string_view connections_axis = "connections";
  const auto add = [&](std::string_view axis, std::string_view other, std::uint64_t fixed) {
    for (const std::uint64_t idle : idles) {
      const std::string suffix = idles.size() > 1 ? fmt::format("-idle-{}", idle) : "";
      for (const auto& [script, metric] : kScripts) {
        const auto is_shown = [&, metric = metric](const SummaryRow& row) {
          const Cell& cell = row.cell;
          const std::uint64_t value = axis == connections_axis ? cell.threads : cell.connections;
          return cell.idle == idle && value == fixed && row.spread(metric);
        };
        if (std::ranges::none_of(rows, is_shown)) continue;
        plots.push_back({script, std::string(axis), fixed, idle,
                         fmt::format("{}-vs-{}-{}-{}{}", script, axis, other, fixed, suffix)});
      }
    }
  };
  for (const std::uint64_t fixed : threads) add("connections", "threads", fixed);
  if (threads.size() < 2) return plots;
  for (const std::uint64_t fixed : connections) add("threads", "connections", fixed);
  return plots;
}

std::size_t draw_plots(const Path& folder, std::span<const Plot> plots,
                       const std::string& caption) {
  if (plots.empty()) return 0;
  const Path scripts = find_scripts();
  std::filesystem::create_directories(folder / "plots");
  for (const Plot& plot : plots) draw(scripts, folder, plot, caption);
  return plots.size();
}

}  // namespace muxlab
