#pragma once

#include <optional>
#include <string_view>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "backends/serve_options.hpp"

namespace muxlab {

/// Returns why `backend` does not run on that threading model; empty when it does.
constexpr std::string_view why_not(const Backend& backend, Threading threading) {
  if (threading == Threading::half_sync && backend.make_poller == nullptr) {
    return "it waits and serves in one call, which cannot be put on two threads";
  }
  if (is_oracle(backend) && threading != Threading::single) {
    return "one client thread reports to one serving thread";
  }
  return "";
}

/// Returns Backend::calls adapted to the threading model. Returns nothing where connections go back
/// to the waiting thread: the cost of each depends on how many go back at once.
inline std::optional<CallsPerEcho> calls_per_echo(const Backend& backend,
                                                  const ServeOptions& options) {
  if (options.threading != Threading::half_sync) return backend.calls;
  if (!backend.calls || options.rearm == Rearm::waiter) return std::nullopt;
  CallsPerEcho calls = *backend.calls;
  ++calls.ctl;  // the serving thread re-arms it
  return calls;
}

/// Returns why serving threads cannot re-arm on that threading model; empty when they can.
inline std::string_view why_no_worker_rearms(const Backend& backend, Threading threading) {
  if (threading != Threading::half_sync) return "only --threading half-sync re-arms connections";
  if (!backend.make_poller || !backend.make_poller()->rearms_from_any_thread()) {
    return "its list of descriptors belongs to the thread that waits";
  }
  return "";
}

}  // namespace muxlab
