#pragma once

#include "backends/controls/oracle_board.hpp"
#include "backends/parts/fd_map.hpp"
#include "bench/load/load.hpp"

namespace muxlab {

/// Checks that the options allow --oracle: each report must stand for exactly one receive. Throws
/// Failure (usage) that names the first conflicting option. Does nothing without --oracle.
void check_oracle(const LoadOptions& options);

/// Reports to a server on the `oracle` control each connection that a message was sent on. Thread:
/// the single client thread.
class OracleTeller {
 public:
  /// `path`: the server's own --oracle file. Throws Failure if it is no board.
  explicit OracleTeller(const std::string& path);
  OracleTeller(const OracleTeller&) = delete;
  OracleTeller& operator=(const OracleTeller&) = delete;
  ~OracleTeller();  ///< stops reporting

  /// Looks up the server's descriptors of the open `connections`, and starts to report. Requires
  /// that each has echoed once and nothing is in flight. Throws Failure if the server does not know
  /// a connection, or another client reports to it already.
  void begin(std::span<LoadConnection> connections);

  /// Reports that a whole message was sent on the client's descriptor `fd`.
  void report(int fd) { board_.report(at_server_[fd]); }

 private:
  OracleBoard board_;
  std::string path_;
  bool has_begun_ = false;
  FdMap<std::uint32_t> at_server_;  ///< the server's names, by the client's descriptors
};

}  // namespace muxlab
