#pragma once

#include <memory>
#include <system_error>

#include "backends/backend.hpp"
#include "backends/poller.hpp"

namespace muxlab {

/// Runs the loop that all readiness mechanisms share: wait, take new connections, advance ready
/// ones. Fulfils the contract of Backend::serve.
void run_reactor(Poller& poller, Worker& worker);

/// Returns true if `poller` reports a readable descriptor within a second. Throws
/// std::system_error, std::bad_alloc.
bool reports_readable(Poller& poller);

/// Returns the result of reports_readable() as a probe's result.
inline Availability availability_of(Poller& poller) {
  if (reports_readable(poller)) return {};
  return Availability::never("it does not report a readable descriptor", "");
}

/// These three are Backend::serve, make_poller and probe of a backend that is only a Poller.
template <typename AnyPoller>
void serve_with(Worker& worker) {
  AnyPoller poller;
  run_reactor(poller, worker);
}

template <typename AnyPoller>
std::unique_ptr<OneShotPoller> make_poller() {
  return std::make_unique<AnyPoller>();
}

template <typename AnyPoller>
Availability probe_poller() {
  try {
    AnyPoller poller;
    return availability_of(poller);
  } catch (const std::system_error& error) {
    return Availability::never(error.what(), "");
  }
}

}  // namespace muxlab
