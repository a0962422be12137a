#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "bench/experiment.hpp"
#include "bench/process_processors.hpp"
#include "bench/trial_metrics.hpp"

namespace muxlab {

/// What all trials of a campaign have in common.
struct TrialSetup {
  std::filesystem::path program;  ///< the executable whose verbs `serve` and `load` are run
  std::uint64_t size_bytes = 64;
  std::uint64_t depth = 1;
  bool unix_sockets = false;  ///< instead of TCP over loopback
  std::chrono::nanoseconds warmup{0};
  std::chrono::nanoseconds window{0};
  /// How much longer than it should each step may take before the trial counts as failed.
  std::chrono::nanoseconds patience = std::chrono::seconds(15);
  int interrupt = -1;  ///< a descriptor that becomes readable when measuring is to stop
};

/// `unsupported`: not run, as the backend cannot do it. `failed`: run, and not to be trusted.
enum class TrialStatus { ok, failed, unsupported };

/// How one trial went. A reason is one line; an ok trial has none.
struct TrialOutcome {
  TrialStatus status = TrialStatus::ok;
  std::string reason;
  Metrics metrics;
};

/// Measures one cell with a server and a client process of its own; ends both before it returns.
///
/// The client announces when its timed window begins and ends; the server is sampled at these two
/// moments, so that all costs per echo are those of the window, without connecting and warm-up.
/// Every step has a deadline. What goes wrong in a child is a failed trial, not an exception.
/// Nothing when interrupted.
std::optional<TrialOutcome> run_trial(const TrialSetup& setup, const Cell& cell,
                                      const Processors& processors);

}  // namespace muxlab
