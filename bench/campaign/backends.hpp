#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "bench/data/experiment.hpp"

namespace muxlab {

/// What bench has to know of one backend on this machine.
struct BackendInfo {
  std::string name;
  bool control = false;  ///< measured only when asked for by name
  bool works = false;
  std::string reason;  ///< why it does not work, or why it takes no more connections
  std::string mend;    ///< what would make it work
  std::optional<std::uint64_t> max_connections;  ///< of a server with one thread
  std::vector<std::string> threading;
  bool is_told = false;                      ///< as Backend::is_told
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

}  // namespace muxlab
