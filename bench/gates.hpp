#pragma once

#include <string>
#include <string_view>

#include "bench/experiment.hpp"
#include "bench/process_processors.hpp"
#include "bench/trial_metrics.hpp"

namespace muxlab {

/// What a trial may bear before its figures are no longer those of the programs alone. Settled
/// beforehand and the same for all: no trial is left out for what it measured.
struct Gates {
  double server_runqueue_wait_share = 0.05;  ///< of the window, per thread
  double client_runqueue_wait_share = 0.05;
  double steal_share = 0.01;        ///< of the processors, by the host
  double foreign_cpu_share = 0.05;  ///< of the processors, by other programs
  double canary_ratio = 1.15;       ///< of system calls, against the fastest of the campaign
};

/// Those for a trial on `processors`. Where the server's threads are more than its processors they
/// wait for each other, and how long says nothing.
Gates gates_for(const Cell& cell, const Processors& processors);

/// Why the trial was disturbed; empty when no gate was met. A metric that was not measured meets no
/// gate. `fastest_canary_ns`: of the campaign until now.
std::string why_disturbed(const Metrics& metrics, double fastest_canary_ns, const Gates& gates);

/// Whether a trial of that `reason` was disturbed by nothing but a machine that was slow, for
/// whatever ran on it.
bool is_only_slow(std::string_view reason);

/// Why a program that was built so is not one to measure; empty when it is. `type` is CMake's, and
/// `flags` are those of the compiler beside it.
std::string why_not_to_measure(std::string_view type, std::string_view flags);

/// What kept a trial from more echoes per second.
enum class Limiter {
  unknown,       ///< not measured
  server,        ///< the server's processors were busy
  client,        ///< the client's were: its echoes per second say nothing of the server
  both,          ///< there may be a little more in the server than was seen
  latency,       ///< neither: in a closed loop too few messages were in flight
  offered_rate,  ///< neither: in an open loop no more were sent
};

Limiter limiter_of(const Cell& cell, const Metrics& metrics);

/// "server-bound", "client-bound", "co-saturated", "latency-bound", "rate-bound" or empty.
std::string_view limiter_name(Limiter limiter);

}  // namespace muxlab
