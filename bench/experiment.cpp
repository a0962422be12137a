#include "bench/experiment.hpp"

#include <fmt/format.h>

#include <array>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

using std::chrono::milliseconds;

Grid grid_of(std::vector<std::uint64_t> threads, std::vector<std::uint64_t> connections) {
  Grid grid;
  grid.threads = std::move(threads);
  grid.connections = std::move(connections);
  return grid;
}

}  // namespace

std::span<const Experiment> experiments() {
  static const std::array all = {
      Experiment{
          "throughput",
          "How many echoes per second does each backend reach as connections and threads grow, "
          "at which latency and for how much CPU?",
          {"quick", grid_of({1, 2}, {100, 1'000, 5'000}), 3, milliseconds{100}, milliseconds{400}},
          {"full", grid_of({1, 2}, {10, 100, 1'000, 5'000}), 10, milliseconds{500},
           milliseconds{1'000}},
      },
  };
  return all;
}

const Experiment& find_experiment(std::string_view name) {
  std::string known;
  for (const Experiment& experiment : experiments()) {
    if (experiment.name == name) return experiment;
    known += fmt::format(" {}", experiment.name);
  }
  throw Failure(ExitCode::usage, fmt::format("no experiment \"{}\"; there is:{}", name, known));
}

std::vector<Cell> expand(const Grid& grid) {
  std::vector<Cell> cells;
  for (const std::uint64_t connections : grid.connections) {
    for (const std::uint64_t idle : grid.idle) {
      for (const std::uint64_t threads : grid.threads) {
        for (const std::string& backend : grid.backends) {
          const std::string natural = threads == 1        ? "single"
                                      : grid.unix_sockets ? "acceptor"
                                                          : "reuseport";
          cells.push_back({backend, grid.threading.empty() ? natural : grid.threading, threads,
                           connections, idle});
        }
      }
    }
  }
  return cells;
}

}  // namespace muxlab
