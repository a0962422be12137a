#include "bench/data/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backends/parts/failure.hpp"
#include "server/cli/cli.hpp"

namespace muxlab {
namespace {

const std::vector<std::string> kModels = {"reuseport", "shared", "acceptor", "half-sync"};

std::vector<Experiment> all_experiments() {
  return {
      {.name = "throughput",
       .question = "How many echoes per second does each backend reach as connections and threads "
                   "grow, at which latency and for how much CPU?",
       .grid = {.threads = {1, 2}, .connections = {10, 100, 1'000, 5'000}}},
      {.name = "threads",
       .question = "What do more threads bring on each threading model, and what when there are "
                   "more of them than processors?",
       .grid = {.threads = {1, 2, 4, 8}, .connections = {1'000}},
       .backends = {"epoll-lt", "poll", "epoll-et"},
       .models = kModels,
       .pictures = {"throughput", "cpu", "latency"},
       .axis = "threads"},
      {.name = "latency",
       .question =
           "How long does an echo take from when it was due, as more and more of them are due?",
       .grid = {.rate_per_s = {5'000, 20'000, 40'000}},
       .backends = {"epoll-lt", "select", "io-uring", "libevent-epoll", "bufferevent", "libuv"},
       .seconds = 110,
       .pictures = {"latency", "spectrum", "cpu"}},
      {.name = "idle",
       .question = "What do connections cost that are open and silent?",
       .grid = {.idle = {0, 1'000, 5'000, 10'000, 15'000}},
       .pictures = {"cpu", "calls"}},
      {.name = "active",
       .question = "Of five thousand connections, how many have to be active before poll costs no "
                   "more than epoll?",
       .grid = {.connections = {1, 10, 100, 500, 1'000, 2'500, 5'000}, .total = 5'000},
       .backends = {"epoll-lt", "select", "poll", "epoll-et", "io-uring-poll", "io-uring"},
       .pictures = {"cpu", "calls"}},
      {.name = "size",
       .question = "What does an echo cost as messages grow?",
       .grid = {.size_bytes = {1, 64, 1'024, 4'096, 16'384, 65'536}},
       .pictures = {"cpu", "throughput", "calls"}},
      {.name = "cost",
       .question = "On what does each backend spend the CPU time of an echo, compared with a "
                   "server that is told what is ready and with one that tries every connection?",
       .grid = {.connections = {1, 100, 1'000}},
       .backends = {"oracle", "select", "poll", "epoll-lt", "epoll-et", "io-uring",
                    "libevent-epoll", "bufferevent", "libuv", "asio", "threads", "blind-scan"},
       .time_calls = true,
       .pictures = {"cost", "cpu"}},
      {.name = "handoff",
       .question = "How soon is a new connection served when one thread accepts it and another "
                   "serves it, and does it matter what wakes that one?",
       .grid = {.threads = {1, 2}, .churn = {1, 10}},
       .backends = {"epoll-lt", "poll", "epoll-et", "io-uring"},
       .models = {"acceptor"},
       .notify = {"eventfd", "pipe"},
       .seconds = 60,
       .pictures = {"first-echo", "connections", "cpu"},
       .axis = "notify"},
      {.name = "fairness",
       .question = "Are connections served alike, whichever way they come to the threads that "
                   "serve them?",
       .grid = {.threads = {2, 4}, .connections = {64, 1'000}},
       .backends = {"epoll-lt", "epoll-et"},
       .models = kModels,
       .seconds = 55,
       .slice_ns = 100'000'000,
       .pictures = {"fairness", "throughput", "latency"},
       .axis = "threading"},
      {.name = "churn",
       .question = "What does a connection cost that does not stay?",
       .grid = {.churn = {1, 10, 100}},
       .seconds = 80,
       .pictures = {"connections", "first-echo", "cpu"}},
      {.name = "memory",
       .question =
           "How much memory does a silent connection take, of the server and of the kernel?",
       .grid = {.connections = {1}, .idle = {1'000, 5'000, 10'000}},
       .seconds = 50,
       .is_isolated = true,
       .pictures = {"memory"}},
      {.name = "lt-vs-et",
       .question = "Is edge-triggered epoll cheaper than level-triggered?",
       .grid = {.connections = {1, 100, 1'000, 5'000}},
       .backends = {"epoll-lt", "epoll-et"},
       .seconds = 40,
       .pictures = {"cpu", "calls", "latency"}},
      {.name = "bufferevent-vs-event",
       .question = "What does libevent take for its buffers, and what for its events?",
       .grid = {.size_bytes = {64, 4'096, 65'536}},
       .backends = {"epoll-lt", "libevent-epoll", "bufferevent"},
       .seconds = 40,
       .pictures = {"cpu", "calls", "latency"}},
      {.name = "client-engine",
       .question = "Does the order of the backends depend on how the client waits?",
       .grid = {.connections = {100, 1'000}, .engines = {"epoll", "io-uring"}},
       .seconds = 40,
       .pictures = {"cpu", "throughput"},
       .axis = "engine"},
      {.name = "calibration",
       .question = "Do six servers that are the same come out as the same?",
       .backends = {"epoll-lt"},
       .copies = 5,
       .seconds = 60,
       .pictures = {"cpu"}},
  };
}

/// Crosses `cells` with `values`; the values vary fastest.
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

const std::string& field_of(const std::string& text) { return text; }
std::string field_of(std::uint64_t count) { return fmt::to_string(count); }
std::string field_of(bool unix_sockets) { return transport_name(unix_sockets); }

}  // namespace

std::span<const Experiment> experiments() {
  static const std::vector<Experiment> all = all_experiments();
  return all;
}

const Experiment& find_experiment(std::string_view name) {
  std::string known;
  for (const Experiment& experiment : experiments()) {
    if (experiment.name == name) return experiment;
    known += fmt::format(" {}", experiment.name);
  }
  throw Failure(ExitCode::usage, fmt::format("no experiment \"{}\"; there are:{}", name, known));
}

std::vector<Cell> expand(const Grid& grid) {
  std::vector<Cell> cells = {Cell()};
  cells.front().unix_sockets = grid.unix_sockets;
  cells = crossed(cells, grid.rate_per_s, &Cell::rate_per_s);
  cells = crossed(cells, grid.size_bytes, &Cell::size_bytes);
  cells = crossed(cells, grid.threads, &Cell::threads);
  cells = crossed(cells, grid.connections, &Cell::connections);
  cells = crossed(cells, grid.idle, &Cell::idle);
  cells = crossed(cells, grid.churn, &Cell::churn);
  cells = crossed(cells, grid.engines, &Cell::engine);
  for (Cell& cell : cells) {
    cell.depth = grid.depth.value_or(cell.rate_per_s == 0 ? 1 : 0);
    cell.threading = cell.threads == 1 ? "single" : grid.unix_sockets ? "acceptor" : "reuseport";
    if (grid.total) cell.idle = *grid.total - std::min(*grid.total, cell.connections);
  }
  if (!grid.threading.empty()) cells = crossed(cells, grid.threading, &Cell::threading);
  return cells;
}

std::vector<std::string> cell_header() {
  std::vector<std::string> header;
  const Cell none;
  each_cell_column(none, [&](const char* name, const auto&) { header.emplace_back(name); });
  return header;
}

std::vector<std::string> cell_fields(const Cell& cell) {
  std::vector<std::string> fields;
  each_cell_column(cell,
                   [&](const char*, const auto& value) { fields.push_back(field_of(value)); });
  return fields;
}

std::string describe_threads(const Cell& cell) {
  return fmt::format("{} ({})", counted(cell.threads, "thread"), cell.threading);
}

std::string describe_what_is_unusual(const Cell& cell) {
  const Cell usual;
  std::string text;
  const std::uint64_t usual_depth = cell.rate_per_s == 0 ? 1 : 0;
  if (cell.size_bytes != usual.size_bytes) text += fmt::format(", {} B", cell.size_bytes);
  if (cell.depth != usual_depth) text += fmt::format(", {} in flight", cell.depth);
  if (cell.unix_sockets) text += ", unix sockets";
  if (cell.rate_per_s > 0) text += fmt::format(", {}/s", cli::show_count(cell.rate_per_s));
  if (cell.churn > 0) text += fmt::format(", churn {}", cell.churn);
  if (cell.engine != usual.engine) text += fmt::format(", {} client", cell.engine);
  if (cell.notify != usual.notify) text += fmt::format(", notified by {}", cell.notify);
  return text;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string in_groups(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

}  // namespace muxlab
