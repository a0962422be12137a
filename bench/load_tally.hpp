#pragma once

#include <cstdint>
#include <string>

#include "bench/histogram.hpp"
#include "bench/load_errors.hpp"

namespace muxlab {

/// What one thread counted, and by merging what all of them did.
struct LoadTally {
  std::uint64_t established = 0;     ///< connections that echoed once, idle ones included
  std::uint64_t echoes = 0;          ///< completed inside the window
  Histogram latency_ns;              ///< of those echoes
  std::uint64_t bytes_sent = 0;      ///< during the whole run, as these two
  std::uint64_t bytes_received = 0;  ///< and found to be right
  std::uint64_t bytes_missing = 0;   ///< sent and not back when their connection ended
  LoadErrors errors;
  std::string first_error;  ///< one line; empty when there was none

  void merge(const LoadTally& other) {
    established += other.established;
    echoes += other.echoes;
    latency_ns.merge(other.latency_ns);
    bytes_sent += other.bytes_sent;
    bytes_received += other.bytes_received;
    bytes_missing += other.bytes_missing;
    errors.merge(other.errors);
    if (first_error.empty()) first_error = other.first_error;
  }
};

}  // namespace muxlab
