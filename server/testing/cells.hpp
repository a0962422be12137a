#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "server/cli/build_stamp.hpp"
#include "server/threading.hpp"

/// Every backend on every threading model, for all tests of the server.
namespace muxlab::test {

struct Cell {
  const Backend* backend;
  std::string model;  ///< the threading model and its variant, if it has variants
  ServeOptions options;

  [[nodiscard]] std::string name() const {
    std::string name = fmt::format("{}_on_{}", backend->name, model);
    std::ranges::replace(name, '-', '_');
    return name;
  }
};

// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for
inline void PrintTo(const Cell& cell, std::ostream* out) { *out << cell.name(); }

inline std::vector<std::pair<std::string, ServeOptions>> all_models() {
  const auto with = [](std::uint64_t threads, Threading threading) {
    ServeOptions options;
    options.threads = threads;
    options.threading = threading;
    options.drain = {};  // draining has tests of its own
    return options;
  };
  ServeOptions unix_socket = with(1, Threading::single);
  unix_socket.unix_path = fmt::format("{}/muxlab-test-{}", testing::TempDir(), ::getpid());
  ServeOptions worker_rearms = with(2, Threading::half_sync);
  worker_rearms.rearm = Rearm::worker;
  ServeOptions through_pipes = with(2, Threading::acceptor);
  through_pipes.notify = Notify::pipe;
  return {
      {"single", with(1, Threading::single)},
      {"unix", unix_socket},
      {"reuseport", with(2, Threading::reuseport)},
      {"shared", with(2, Threading::shared)},
      {"half_sync", with(2, Threading::half_sync)},
      {"half_sync_worker_rearms", worker_rearms},
      {"acceptor_eventfd", with(2, Threading::acceptor)},
      {"acceptor_pipe", through_pipes},
  };
}

inline std::vector<Cell> find_cells() {
  std::vector<Cell> cells;
  for (const Backend* backend : backends()) {
    for (const auto& [model, options] : all_models()) {
      if (!why_not(*backend, options.threading).empty()) continue;
      const bool worker_rearms = options.rearm == Rearm::worker;
      if (worker_rearms && !why_no_worker_rearms(*backend, options.threading).empty()) continue;
      cells.push_back({.backend = backend, .model = model, .options = options});
    }
  }
  return cells;
}

/// Returns the controls that are whole servers, on the models that differ for them.
inline std::vector<Cell> control_cells() {
  std::vector<Cell> cells;
  for (const char* const name : {"blind-scan", "epoll-lt-extra-call"}) {
    for (const auto& [model, options] : all_models()) {
      if (model != "single" && model != "acceptor_eventfd") continue;
      cells.push_back({.backend = find_backend(name), .model = model, .options = options});
    }
  }
  const ServeOptions alone = all_models().front().second;
  // Not io-uring-large-receives: it holds more than one buffer of the others, on purpose.
  for (const char* const name :
       {"io-uring-many-buffers", "io-uring-poll-first", "io-uring-without-more"}) {
    const Backend* const backend = find_backend(name);
    if (!why_not(*backend, Threading::single).empty()) continue;
    cells.push_back({.backend = backend, .model = "single", .options = alone});
  }
  Cell oracle{.backend = find_backend("oracle"), .model = "single", .options = alone};
  oracle.options.oracle = fmt::format("{}/muxlab-oracle-{}", testing::TempDir(), ::getpid());
  cells.push_back(oracle);  // without a client that reports
  return cells;
}

/// Returns all cells, found once and kept.
inline const std::vector<Cell>& all_cells() {
  static const std::vector<Cell> cells = find_cells();
  return cells;
}

/// Returns false in a sanitizer build, which is many times slower and uses few_cells().
/// MUXLAB_EVERY_CELL, set by scripts/test --full, selects all cells there too.
inline bool is_every_cell_wanted() {
  return !build_stamp.has_flag("-fsanitize") || std::getenv("MUXLAB_EVERY_CELL") != nullptr;
}

/// Returns each loop and each threading model once. All other cells combine these.
inline std::vector<Cell> few_cells() {
  constexpr std::array kEachLoop = {
      "epoll_et_on_reuseport",    "epoll_et_on_half_sync_worker_rearms",
      "io_uring_poll_on_single",  "libevent_epoll_on_acceptor_eventfd",
      "bufferevent_on_reuseport", "io_uring_on_acceptor_eventfd",
      "libuv_on_acceptor_pipe",   "threads_on_acceptor_eventfd",
      "asio_on_shared",
  };
  // The other mechanisms under the same loops.
  constexpr std::array kEachBackend = {
      "select_on_half_sync",       "poll_on_acceptor_pipe",   "epoll_lt_on_shared",
      "libevent_select_on_single", "libevent_poll_on_shared", "io_uring_on_reuseport",
  };
  std::vector<Cell> cells = all_cells();
  std::erase_if(cells, [&](const Cell& cell) {
    const bool is_named = std::ranges::find(kEachLoop, cell.name()) != kEachLoop.end() ||
                          (is_every_cell_wanted() &&
                           std::ranges::find(kEachBackend, cell.name()) != kEachBackend.end());
    return !is_named;
  });
  return cells;
}

/// Returns the cells for the conformance tests.
inline std::vector<Cell> wanted_cells() {
  return is_every_cell_wanted() ? all_cells() : few_cells();
}

}  // namespace muxlab::test
