#pragma once

#include <cstdint>
#include <deque>

#include "bench/load_connections.hpp"
#include "bench/load_dial.hpp"
#include "bench/load_target.hpp"

namespace muxlab {

/// Opens connections in the place of those that ended, each with one message to begin with.
///
/// A connection that was ended in order leaves its port in TIME_WAIT, and a Unix server's backlog
/// may be full: then there is none to be had at the moment. Those that have to wait are opened in
/// their turn, at intervals that grow while there still is nothing, and are counted.
class Churn {
 public:
  /// All are borrowed; `size_bytes` of a message.
  Churn(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
        std::uint64_t size_bytes)
      : connections_(connections), target_(target), sources_(sources), size_bytes_(size_bytes) {}

  /// Opens connection `index`, which has no descriptor, now or as soon as it can be.
  void open(std::size_t index);

  /// When open_those_that_wait() has something to do, of CLOCK_MONOTONIC; kForever: nobody waits.
  [[nodiscard]] std::int64_t due_ns() const {
    return waiting_.empty() ? LoadConnections::kForever : retry_at_ns_;
  }
  void open_those_that_wait();

 private:
  bool try_to_open(std::size_t index);

  LoadConnections& connections_;
  const LoadTarget& target_;
  SourceAddresses& sources_;
  std::uint64_t size_bytes_;
  std::deque<std::size_t> waiting_;
  std::int64_t retry_at_ns_ = 0;
  std::int64_t pause_ns_ = 0;
  int last_error_ = 0;  // for which those that wait do
};

}  // namespace muxlab
