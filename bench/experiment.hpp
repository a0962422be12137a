#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muxlab {

/// What one trial holds fixed: one point of the grid.
struct Cell {
  std::string backend;
  std::string threading;
  std::uint64_t threads = 1;
  std::uint64_t connections = 1;
  std::uint64_t idle = 0;  ///< connections that are open and never speak

  bool operator==(const Cell&) const = default;
};

/// The values an experiment crosses. Every backend meets every combination of the lists.
struct Grid {
  std::vector<std::string> backends;  ///< empty: each one that works on this machine
  std::vector<std::uint64_t> threads;
  std::vector<std::uint64_t> connections;
  std::vector<std::uint64_t> idle = {0};
  std::uint64_t size_bytes = 64;
  std::uint64_t depth = 1;    ///< messages in flight per connection
  bool unix_sockets = false;  ///< instead of TCP
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
