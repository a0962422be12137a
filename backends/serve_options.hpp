#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muxlab {

/// How connections reach the threads that serve them.
enum class Threading : std::uint8_t {
  single,     ///< one thread, one listener
  reuseport,  ///< each thread has its own SO_REUSEPORT listener; the kernel spreads connections
  shared,     ///< all threads wait for the same listener
  acceptor,   ///< one thread accepts and hands out round robin, through a queue per thread
  half_sync,  ///< one thread waits for all connections, the others serve ready ones
};

/// The descriptor that wakes a thread when its hand-off queue gets its first connection.
enum class Notify : std::uint8_t { eventfd, pipe };

/// Which thread re-arms a connection after serving it, on half-sync.
enum class Rearm : std::uint8_t {
  waiter,  ///< the waiting thread, to which the serving thread hands it back
  worker,  ///< the serving thread, if the mechanism allows any thread
};

/// What happens to a new connection when all places are taken.
enum class WhenFull : std::uint8_t {
  wait,    ///< it stays in the kernel's backlog until there is a place
  refuse,  ///< it is accepted, closed and counted
};

/// The options of `muxlab serve`.
struct ServeOptions {
  std::uint64_t threads = 1;
  Threading threading = Threading::single;
  Notify notify = Notify::eventfd;
  Rearm rearm = Rearm::waiter;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                ///< 0: the kernel picks a free one
  std::optional<std::string> unix_path;  ///< instead of host and port
  std::uint64_t max_connections = 0;     ///< 0: as many as there are descriptors for
  WhenFull when_full = WhenFull::wait;
  std::chrono::nanoseconds idle_timeout{0};  ///< 0: none
  std::chrono::nanoseconds drain = std::chrono::seconds(5);
  bool time_calls = false;  ///< measure the time in each system call, at some cost
  int counters = -1;        ///< borrowed: from make_counter_file(), for another process to read
  std::optional<std::string> oracle;  ///< file of the board, for the backend `oracle`
};

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
