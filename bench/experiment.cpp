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

/// Each of `cells` with each of `values`; these vary fastest.
template <typename Value>
std::vector<Cell> crossed(const std::vector<Cell>& cells, const std::vector<Value>& values,
                          Value Cell::*member) {
  std::vector<Cell> all;
  all.reserve(cells.size() * values.size());
  for (const Cell& cell : cells) {
    for (const Value& value : values) {
      all.push_back(cell);
      all.back().*member = value;
    }
  }
  return all;
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
  std::vector<Cell> cells = {Cell()};
  cells.front().unix_sockets = grid.unix_sockets;
  cells = crossed(cells, grid.rate_per_s, &Cell::rate_per_s);
  cells = crossed(cells, grid.size_bytes, &Cell::size_bytes);
  cells = crossed(cells, grid.connections, &Cell::connections);
  cells = crossed(cells, grid.idle, &Cell::idle);
  cells = crossed(cells, grid.threads, &Cell::threads);
  for (Cell& cell : cells) {
    cell.depth = grid.depth.value_or(cell.rate_per_s == 0 ? 1 : 0);
    const std::string many = grid.unix_sockets ? "acceptor" : "reuseport";
    cell.threading = !grid.threading.empty() ? grid.threading : cell.threads == 1 ? "single" : many;
  }
  return crossed(cells, grid.backends, &Cell::backend);
}

}  // namespace muxlab
