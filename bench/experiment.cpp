#include "bench/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

using std::chrono::milliseconds;

/// One server thread, 100 connections, a closed loop: what an experiment starts from.
Grid usual() {
  Grid grid;
  grid.threads = {1};
  grid.connections = {100};
  return grid;
}

Profile quick(Grid grid, std::uint64_t rounds = 3) {
  return {"quick", std::move(grid), rounds, milliseconds{100}, milliseconds{400}};
}
Profile full(Grid grid, std::uint64_t rounds = 10) {
  return {"full", std::move(grid), rounds, milliseconds{500}, milliseconds{1'000}};
}

Experiment throughput() {
  Grid few = usual();
  few.threads = {1, 2};
  few.connections = {100, 1'000, 5'000};
  Grid all = few;
  all.connections = {10, 100, 1'000, 5'000};
  return {"throughput",
          "How many echoes per second does each backend reach as connections and threads grow, "
          "at which latency and for how much CPU?",
          quick(few), full(all)};
}

Experiment threads() {
  Grid few = usual();
  few.backends = {"epoll-lt"};
  few.threads = {1, 2, 4, 8};
  few.connections = {1'000};
  few.threading = {"reuseport", "shared", "acceptor", "half-sync"};
  Grid all = few;
  all.backends = {"poll", "epoll-lt", "epoll-et"};
  return {"threads",
          "What do more threads bring on each threading model, and what when there are more of "
          "them than processors?",
          quick(few),
          full(all),
          {"throughput", "cpu", "latency"},
          "threads"};
}

Experiment latency() {
  Grid few = usual();
  few.backends = {"select", "epoll-lt", "io-uring", "libevent-epoll"};
  few.rate_per_s = {5'000, 20'000, 40'000};
  Grid all = few;
  all.backends.clear();
  all.rate_per_s = {5'000, 10'000, 20'000, 40'000, 60'000, 80'000};
  return {"latency",
          "How long does an echo take from when it was due, as more and more of them are due?",
          quick(few),
          full(all),
          {"latency", "spectrum", "cpu"}};
}

Experiment idle() {
  Grid few = usual();
  few.backends = {"select", "poll", "epoll-lt", "epoll-et", "io-uring"};
  few.idle = {0, 1'000, 10'000};
  Grid all = few;
  all.backends.clear();
  all.idle = {0, 10, 100, 1'000, 5'000, 10'000, 15'000};
  return {"idle", "What do connections cost that are open and silent?", quick(few), full(all)};
}

Experiment active() {
  Grid few = usual();
  few.backends = {"poll", "epoll-lt", "io-uring"};
  few.total = 5'000;
  few.connections = {10, 500, 2'500, 5'000};
  Grid all = few;
  all.backends = {"select", "poll", "epoll-lt", "epoll-et", "io-uring-poll", "io-uring"};
  all.connections = {1, 10, 50, 100, 500, 1'000, 2'500, 5'000};
  return {"active",
          "Of five thousand connections, how many have to be active before poll costs no more than "
          "epoll?",
          quick(few), full(all)};
}

Experiment size() {
  Grid few = usual();
  few.backends = {"epoll-lt", "io-uring", "libevent-epoll", "bufferevent"};
  few.size_bytes = {1, 64, 1'024, 16'384, 65'536};
  Grid all = few;
  all.backends.clear();
  all.size_bytes = {1, 16, 64, 256, 1'024, 4'096, 16'384, 65'536};
  return {"size", "What does an echo cost as messages grow?", quick(few), full(all)};
}

Experiment cost() {
  Grid few = usual();
  few.backends = {"oracle",         "select",      "poll",  "epoll-lt", "epoll-et", "io-uring",
                  "libevent-epoll", "bufferevent", "libuv", "asio",     "threads",  "blind-scan"};
  few.connections = {100, 1'000};
  few.time_calls = true;
  Grid all = few;
  all.connections = {1, 100, 1'000, 5'000};
  return {"cost",
          "What does the CPU time of an echo go into, between a server that is told what is ready "
          "and one that asks every connection?",
          quick(few),
          full(all),
          {"cost", "cpu"}};
}

Experiment hand_off() {
  Grid few = usual();
  few.backends = {"epoll-lt"};
  few.threads = {1, 2};
  few.threading = {"acceptor"};
  few.notify = {"eventfd", "pipe"};
  few.churn = {1, 10};
  Grid all = few;
  all.backends = {"poll", "epoll-lt", "epoll-et", "io-uring"};
  return {"handoff",
          "How soon is a new connection served when one thread accepts it and another serves it, "
          "and does it matter what wakes that one?",
          quick(few, 5),
          full(all),
          {"first-echo", "connections", "cpu"},
          "notify"};
}

Experiment fairness() {
  Grid few = usual();
  few.backends = {"epoll-lt"};
  few.threads = {2, 4};
  few.connections = {64};
  few.threading = {"reuseport", "shared", "acceptor", "half-sync"};
  Grid all = few;
  all.backends = {"poll", "epoll-lt", "epoll-et"};
  all.connections = {64, 1'000};
  return {"fairness",
          "Are connections served alike, whichever way they come to the threads that serve them?",
          quick(few),
          full(all),
          {"fairness", "throughput", "latency"},
          "threading"};
}

Experiment churn() {
  Grid few = usual();
  few.backends = {"select",   "poll",           "epoll-lt", "epoll-et",
                  "io-uring", "libevent-epoll", "threads"};
  few.churn = {1, 10, 100};
  Grid all = few;
  all.backends.clear();
  return {"churn",
          "What does a connection cost that does not stay?",
          quick(few),
          full(all),
          {"connections", "first-echo", "cpu"}};
}

Experiment memory() {
  Grid few = usual();
  few.connections = {1};
  few.idle = {0, 5'000};
  Grid all = few;
  all.idle = {0, 1'000, 5'000, 10'000};
  return {"memory",
          "How much memory does a silent connection take, of the server and of the kernel?",
          quick(few, 1),
          full(all, 7),
          {"memory"}};
}

Experiment lt_vs_et() {
  Grid few = usual();
  few.backends = {"epoll-lt", "epoll-et"};
  few.connections = {100, 5'000};
  Grid all = few;
  all.connections = {1, 100, 1'000, 5'000};
  return {"lt-vs-et",
          "Is edge-triggered epoll cheaper than level-triggered?",
          quick(few, 7),
          full(all, 20),
          {"cpu", "calls", "latency"}};
}

Experiment bufferevent_vs_event() {
  Grid few = usual();
  few.backends = {"epoll-lt", "libevent-epoll", "bufferevent"};
  few.size_bytes = {64, 65'536};
  Grid all = few;
  all.size_bytes = {64, 4'096, 65'536};
  return {"bufferevent-vs-event",
          "What does libevent take for its buffers, and what for its events?",
          quick(few, 7),
          full(all, 20),
          {"cpu", "calls", "latency"}};
}

Experiment client_engine() {
  Grid few = usual();
  few.backends = {"select", "epoll-lt", "io-uring", "libevent-epoll"};
  few.connections = {100, 1'000};
  few.engines = {"epoll", "io-uring"};
  Grid all = few;
  all.backends.clear();
  return {"client-engine", "Does the order of the backends depend on how the client waits?",
          quick(few), full(all)};
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
      throughput(),
      threads(),
      latency(),
      idle(),
      active(),
      size(),
      cost(),
      hand_off(),
      fairness(),
      churn(),
      memory(),
      lt_vs_et(),
      bufferevent_vs_event(),
      client_engine(),
  };
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
  cells = crossed(cells, grid.connections, &Cell::connections);
  cells = crossed(cells, grid.idle, &Cell::idle);
  cells = crossed(cells, grid.threads, &Cell::threads);
  cells = crossed(cells, grid.notify, &Cell::notify);
  cells = crossed(cells, grid.churn, &Cell::churn);
  cells = crossed(cells, grid.engines, &Cell::engine);
  for (Cell& cell : cells) {
    cell.depth = grid.depth.value_or(cell.rate_per_s == 0 ? 1 : 0);
    cell.threading = cell.threads == 1 ? "single" : grid.unix_sockets ? "acceptor" : "reuseport";
    if (grid.total) cell.idle = *grid.total - std::min(*grid.total, cell.connections);
  }
  if (!grid.threading.empty()) cells = crossed(cells, grid.threading, &Cell::threading);
  return crossed(cells, grid.backends, &Cell::backend);
}

}  // namespace muxlab
