#pragma once

#include <array>
#include <string_view>

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
    ThreadingModel{Threading::acceptor, "acceptor",
                   "one thread accepts and hands out round robin, through a queue per thread"},
};

constexpr std::string_view name_of(Threading threading) {
  return kThreadingModels[static_cast<std::size_t>(threading)].name;
}

}  // namespace muxlab
