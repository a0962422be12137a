#pragma once

#include <memory>
#include <system_error>

#include "backends/backend.hpp"
#include "backends/poller.hpp"

namespace muxlab {

/// One loop for every readiness mechanism: wait, take what is new, advance what is ready, until the
/// worker's stop descriptor is readable. The rest of Backend::serve's contract holds too.
void run_reactor(Poller& poller, Worker& worker);

/// True when `poller` reports a descriptor that is readable, within a second. Throws
/// std::system_error, std::bad_alloc.
bool reports_readable(Poller& poller);

/// Whether it does, as a probe says it.
inline Availability availability_of(Poller& poller) {
  if (reports_readable(poller)) return {};
  return Availability::never("it does not report a readable descriptor", "");
}

/// Backend::serve, make_poller and probe for a backend that is a Poller and nothing else.
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
