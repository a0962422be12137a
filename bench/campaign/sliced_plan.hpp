#pragma once

#include "backends/parts/failure.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {

/// What bench has to know of one backend on this machine.
struct BackendInfo {
  std::string name;
  bool control = false;  ///< measured only when asked for by name
  bool works = false;
  std::string reason;  ///< why it does not work, or why it takes no more connections
  std::string fix;     ///< what would make it work
  std::optional<std::uint64_t> max_connections;  ///< of a server with one thread
  std::vector<std::string> threading;
  bool is_told = false;                      ///< the oracle: the client reports to it
  std::uint64_t descriptors_per_thread = 0;  ///< each further one takes as many connections' room
};

/// Probes all, as `muxlab inspect` does. Raises the soft limit of descriptors.
std::vector<BackendInfo> probe_backends();

/// The one of that name. Throws Failure (usage) that names all there are.
const BackendInfo& find_backend(std::span<const BackendInfo> known, const std::string& name);

/// The backends to measure: those `wanted`, or all that work here but the controls when none is.
/// Throws Failure: usage for an unknown or repeated name, unavailable for one that cannot work.
std::vector<BackendInfo> choose_backends(std::span<const BackendInfo> known,
                                         std::span<const std::string> wanted);

/// Why a backend cannot take part in a load.
struct Obstacle {
  std::string reason;
  ExitCode code;  ///< usage: the options contradict each other; unavailable: this machine lacks it
};

/// Why `backend` cannot run `cell`, by what `muxlab serve` and `muxlab load` refuse; nothing when
/// it can.
std::optional<Obstacle> why_unsupported(const BackendInfo& backend, const Cell& cell);

/// What the others are compared with unless the user wants otherwise, and its control: the same
/// with one more system call per echo.
inline constexpr std::string_view kBaseline = "epoll-lt";
inline constexpr std::string_view kOneCallMore = "epoll-lt-extra-call";

/// Up to so many connections the wake-up from one processor to the other is most of the noise, so
/// that both sides share one unless the user wants otherwise.
inline constexpr std::uint64_t kMostToShare = 16;

/// What the command line asks for; nothing, or an empty list, where it does not say.
struct SlicedRequest {
  const Experiment* experiment = nullptr;  ///< whose loads and backends are those not asked for
  std::vector<std::string> backends, threading, engines;
  std::vector<std::uint64_t> threads, connections, idle, size_bytes, rate_per_s, churn;
  std::optional<std::uint64_t> depth, seed;
  bool unix_sockets = false, time_calls = false, is_isolated = false;
  std::optional<double> for_s;  ///< for each load
  std::optional<double> precision;
  double same_within = 0.05;
  std::string placement = "auto";
  std::string baseline{kBaseline};
  std::optional<std::filesystem::path> folder;
  std::vector<std::string> command_line;
};

/// Throws Failure: usage for what makes no sense, unavailable for what this machine lacks.
SlicedPlan plan_slices(const SlicedRequest& request, std::span<const BackendInfo> known);

/// Throws Failure (unavailable) where the connections of a load, to all servers at once, do not fit
/// this machine. Raises the soft limit of descriptors.
void check_fit(const SlicedPlan& plan);

/// What would be run, for people.
std::string describe(const SlicedPlan& plan);

/// The plan of an interrupted campaign. Throws Failure (usage) when it is complete, or was begun by
/// another build or on another machine.
SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder);

}  // namespace muxlab
