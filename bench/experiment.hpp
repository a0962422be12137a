#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace muxlab {

/// What one trial holds fixed: one point of the grid.
struct Cell {
  std::string backend;
  std::string threading;
  std::uint64_t threads = 1;
  std::uint64_t connections = 1;
  std::uint64_t idle = 0;  ///< connections that are open and never speak
  std::uint64_t size_bytes = 64;
  std::uint64_t depth = 1;       ///< messages in flight per connection; 0: as many as are due
  std::uint64_t rate_per_s = 0;  ///< messages of all connections, an open loop; 0: a closed one
  bool unix_sockets = false;     ///< instead of TCP over loopback

  bool operator==(const Cell&) const = default;
};

/// Everything but the backend, which is what cells must have in common to be compared; in the order
/// that tables have.
inline auto point_of(const Cell& cell) {
  return std::tuple(cell.unix_sockets, cell.rate_per_s, cell.size_bytes, cell.depth, cell.threads,
                    cell.threading, cell.idle, cell.connections);
}
using Point = decltype(point_of(Cell()));

/// The values an experiment crosses. Every backend meets every combination of the lists.
struct Grid {
  std::vector<std::string> backends;  ///< empty: each one that works on this machine
  std::vector<std::uint64_t> threads;
  std::vector<std::uint64_t> connections;
  std::vector<std::uint64_t> idle = {0};
  std::vector<std::uint64_t> size_bytes = {64};
  std::vector<std::uint64_t> rate_per_s = {0};  ///< 0: a closed loop
  std::optional<std::uint64_t> depth;           ///< of a closed loop 1, of an open one no limit
  bool unix_sockets = false;
  /// Empty: `single` for one thread, for more `reuseport`, which for unix sockets is `acceptor`.
  std::string threading;
};

/// How much of it is measured: each round runs each cell once.
struct Profile {
  std::string_view name;
  Grid grid;
  std::uint64_t rounds;
  std::chrono::nanoseconds warmup;
  std::chrono::nanoseconds window;
};

/// A question that the harness can answer by measuring.
struct Experiment {
  std::string_view name;
  std::string_view question;
  Profile quick;
  Profile full;
};

/// All there are; a new one is one entry in experiment.cpp.
std::span<const Experiment> experiments();

/// Throws Failure (usage) that lists the known names.
const Experiment& find_experiment(std::string_view name);

/// Every cell of `grid`, whose backends are named: connections vary slowest, backends fastest.
std::vector<Cell> expand(const Grid& grid);

/// With fewer trials per cell, chance alone may order two backends.
inline constexpr std::uint64_t kRoundsToRank = 7;

}  // namespace muxlab
