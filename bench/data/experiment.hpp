#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace muxlab {

/// A server and its load: one point of a grid.
struct Cell {
  std::string backend;
  std::string threading;
  std::uint64_t threads = 1;
  std::uint64_t connections = 1;
  std::uint64_t idle = 0;  ///< open connections that never send
  std::uint64_t size_bytes = 64;
  std::uint64_t depth = 1;         ///< messages in flight per connection; 0: no limit
  std::uint64_t rate_per_s = 0;    ///< messages of all connections, an open loop; 0: a closed one
  bool unix_sockets = false;       ///< instead of TCP over loopback
  std::uint64_t churn = 0;         ///< echoes after which a new connection replaces it; 0: never
  std::string engine = "auto";     ///< the client's
  std::string notify = "eventfd";  ///< how the acceptor wakes the thread that gets a connection

  bool operator==(const Cell&) const = default;
};

/// Returns all fields but the backend, in the order of tables. Cells are compared only when these
/// are equal.
inline auto point_of(const Cell& cell) {
  return std::tuple(cell.engine, cell.unix_sockets, cell.rate_per_s, cell.churn, cell.size_bytes,
                    cell.depth, cell.threads, cell.threading, cell.notify, cell.idle,
                    cell.connections);
}
using Point = decltype(point_of(Cell()));

/// The values of each column; expand() makes their cross product.
struct Grid {
  std::vector<std::uint64_t> threads = {1};
  std::vector<std::uint64_t> connections = {100};
  std::vector<std::uint64_t> idle = {0};
  std::vector<std::uint64_t> size_bytes = {64};
  std::vector<std::uint64_t> rate_per_s = {0};  ///< 0: a closed loop
  std::optional<std::uint64_t> depth = {};      ///< of a closed loop 1, of an open one no limit
  bool unix_sockets = false;
  std::vector<std::uint64_t> churn = {0};
  std::vector<std::string> engines = {"auto"};
  /// Empty: `single` for one thread, for more `reuseport`, which for unix sockets is `acceptor`.
  std::vector<std::string> threading = {};
  /// Connections in all; those that are not active are idle.
  std::optional<std::uint64_t> total = {};
};

/// A question that the harness can answer by measuring.
struct Experiment {
  std::string_view name;
  std::string_view question;
  Grid grid = {};
  std::vector<std::string> backends = {};  ///< empty: all that work here, except controls
  /// Threading models and notifications to compare: each backend runs with each of these. The
  /// first ones are the baseline. Empty: the load's.
  std::vector<std::string> models = {};
  std::vector<std::string> notify = {};
  std::uint64_t copies = 0;  ///< of the baseline in all, to compare it with itself
  double seconds = 25;       ///< per load, at least; loads that are slow to build or visit get more
  std::int64_t slice_ns = 0;  ///< 0: depends on the load
  bool time_calls = false;    ///< servers time their system calls
  bool is_isolated = false;   ///< each server runs alone, so kernel memory is its own
  /// Files of scripts/plots; the first one answers the question.
  std::vector<std::string_view> pictures = {"throughput", "latency"};
  /// The column along x; empty: each column that varies, one after the other.
  std::string_view axis = {};
};

/// Returns all experiments; a new one is one entry in experiment.cpp.
std::span<const Experiment> experiments();

/// Throws Failure (usage), with the known names, for an unknown name.
const Experiment& find_experiment(std::string_view name);

/// Returns every load of `grid`, without a backend.
std::vector<Cell> expand(const Grid& grid);

/// Calls `visit` with the name and the value of each column that identifies a cell. All files use
/// the same columns. The transport, true for unix sockets, is "unix" or "tcp" in files.
template <typename AnyCell, typename Visit>
void each_cell_column(AnyCell& cell, Visit visit) {
  visit("backend", cell.backend);
  visit("threading", cell.threading);
  visit("threads", cell.threads);
  visit("connections", cell.connections);
  visit("idle", cell.idle);
  visit("size_bytes", cell.size_bytes);
  visit("depth", cell.depth);
  visit("transport", cell.unix_sockets);
  visit("rate_per_s", cell.rate_per_s);
  visit("churn", cell.churn);
  visit("engine", cell.engine);
  visit("notify", cell.notify);
}
inline const char* transport_name(bool unix_sockets) { return unix_sockets ? "unix" : "tcp"; }

std::vector<std::string> cell_header();
std::vector<std::string> cell_fields(const Cell& cell);

/// Describes a cell: "2 threads (reuseport)"; and values other than the usual, ", 1024 B, 20k/s".
std::string describe_threads(const Cell& cell);
std::string describe_what_is_unusual(const Cell& cell);

/// "1 thread", "2 threads".
std::string counted(std::uint64_t count, const std::string& noun);

/// 1234567 as "1,234,567".
std::string in_groups(double value);

}  // namespace muxlab
