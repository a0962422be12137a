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
  std::chrono::nanoseconds warmup{0};
  std::chrono::nanoseconds window{0};
  /// How much longer than it should each step may take before the trial counts as failed.
  std::chrono::nanoseconds patience = std::chrono::seconds(15);
  bool time_calls = false;  ///< have the server say what its CPU time went into, for a little of it
  int interrupt = -1;       ///< a descriptor that becomes readable when measuring is to stop
  std::filesystem::path root = "/";  ///< what /proc and /sys are below
};

/// `unsupported`: not run, as the backend cannot do it. `failed`: something went wrong.
/// `untrusted`: nothing did, but a gate was met (bench/gates.hpp), or the client says that it was
/// too slow.
enum class TrialStatus { ok, failed, unsupported, untrusted };

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
/// Nothing when interrupted. Judges nothing but what the client says of itself: whether the trial
/// was disturbed is for who knows the others to say.
std::optional<TrialOutcome> run_trial(const TrialSetup& setup, const Cell& cell,
                                      const Processors& processors);

}  // namespace muxlab
