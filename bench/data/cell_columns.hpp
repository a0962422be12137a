#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/data/experiment.hpp"

namespace muxlab {

/// Calls `visit` with the name and the value of each column that says which cell a record is of;
/// alike in every file. The transport, true for unix sockets, is "unix" or "tcp" there.
template <typename AnyCell, typename Visit>
void each_cell_column(AnyCell& cell, Visit visit) {
  visit("backend", cell.backend);
  visit("threading", cell.threading);
  visit("threads", cell.threads);
  visit("connections", cell.connections);
  visit("idle", cell.idle);
  visit("size_bytes", cell.size_bytes);
  visit("depth", cell.depth);
  visit("transport", cell.unix_sockets);
  visit("rate_per_s", cell.rate_per_s);
  visit("churn", cell.churn);
  visit("engine", cell.engine);
  visit("notify", cell.notify);
}
inline const char* transport_name(bool unix_sockets) { return unix_sockets ? "unix" : "tcp"; }

std::vector<std::string> cell_header();
std::vector<std::string> cell_fields(const Cell& cell);

/// Words for a cell: "2 threads (reuseport)"; and ", 1024 B, 20k/s" or the like.
std::string describe_threads(const Cell& cell);
std::string describe_what_is_unusual(const Cell& cell);

/// "1 thread", "2 threads".
std::string counted(std::uint64_t count, const std::string& noun);

/// 1234567 as "1,234,567".
std::string in_groups(double value);

}  // namespace muxlab
