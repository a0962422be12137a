#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "backends/serve_options.hpp"

namespace muxlab {

/// A threading model as the command line names it.
struct ThreadingModel {
  Threading threading;
  std::string_view name;
  std::string_view summary;
};

inline constexpr std::array kThreadingModels = {
    ThreadingModel{Threading::single, "single", "one thread, one listener"},
    ThreadingModel{Threading::reuseport, "reuseport",
                   "each thread has its own SO_REUSEPORT listener; the kernel spreads connections"},
    ThreadingModel{
        Threading::shared, "shared",
        "all threads wait for the same listener; hand-written epoll wakes as few as it can"},
    ThreadingModel{Threading::acceptor, "acceptor",
                   "one thread accepts and hands out round robin, through a queue per thread"},
    ThreadingModel{Threading::half_sync, "half-sync",
                   "one thread waits for all connections, the others serve those that are ready"},
};

constexpr std::string_view name_of(Threading threading) {
  return kThreadingModels[static_cast<std::size_t>(threading)].name;
}

inline std::vector<std::string> names_of_models() {
  std::vector<std::string> names(kThreadingModels.size());
  std::ranges::transform(kThreadingModels, names.begin(),
                         [](const ThreadingModel& model) { return std::string(model.name); });
  return names;
}

}  // namespace muxlab
