#pragma once

#include "backends/parts/failure.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {

/// The properties of one backend on this machine that bench needs.
struct BackendInfo {
  std::string name;
  bool control = false;  ///< measured only when asked for by name
  bool works = false;
  std::string reason;  ///< why it does not work, or why it takes no more connections
  std::string fix;     ///< how to make it work
  std::optional<std::uint64_t> max_connections;  ///< of a server with one thread
  std::vector<std::string> threading;
  bool is_told = false;  ///< the oracle: the client reports to it
  /// Each further thread takes the room of this many connections.
  std::uint64_t descriptors_per_thread = 0;
};

/// Probes all backends, as `muxlab inspect` does. Raises the soft limit of descriptors.
std::vector<BackendInfo> probe_backends();

/// Returns the backend of that name. Throws Failure (usage), with all names, for an unknown one.
const BackendInfo& find_backend(std::span<const BackendInfo> known, const std::string& name);

/// Returns the backends to measure: those `wanted`, or if that is empty all that work here, without
/// controls. Throws Failure: usage for an unknown or repeated name, unavailable for a backend that
/// cannot work.
std::vector<BackendInfo> choose_backends(std::span<const BackendInfo> known,
                                         std::span<const std::string> wanted);

/// Why a backend cannot take part in a load.
struct Obstacle {
  std::string reason;
  ExitCode code;  ///< usage: the options contradict each other; unavailable: this machine lacks it
};

/// Returns why `muxlab serve` or `muxlab load` would refuse to run `cell` with `backend`; nothing
/// if they would not.
std::optional<Obstacle> why_unsupported(const BackendInfo& backend, const Cell& cell);

/// The default baseline, and its control: the same with one more system call per echo.
inline constexpr std::string_view kBaseline = "epoll-lt";
inline constexpr std::string_view kOneCallMore = "epoll-lt-extra-call";

/// With up to this many connections, the wake-up between two processors is most of the noise. By
/// default both sides then share one processor.
inline constexpr std::uint64_t kMostToShare = 16;

/// The options of the command line; nothing, or an empty list, for an option that is not given.
struct SlicedRequest {
  const Experiment* experiment = nullptr;  ///< gives the values that the options do not
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

/// Plans a campaign. Throws Failure: usage for options that make no sense, unavailable for anything
/// that this machine lacks.
SlicedPlan plan_slices(const SlicedRequest& request, std::span<const BackendInfo> known);

/// Throws Failure (unavailable) when the connections of a load, to all servers at once, exceed this
/// machine's limits. Raises the soft limit of descriptors.
void check_fit(const SlicedPlan& plan);

/// Describes the plan for people.
std::string describe(const SlicedPlan& plan);

/// Returns the plan of an interrupted campaign. Throws Failure (usage) when it is complete, or was
/// begun by another build or on another machine.
SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder);

}  // namespace muxlab
