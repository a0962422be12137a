#pragma once

#include "backends/controls/oracle_board.hpp"
#include "backends/parts/fd_map.hpp"
#include "bench/load/load.hpp"

namespace muxlab {

/// Throws Failure (usage) when --oracle goes with something that would make what is told wrong: a
/// note has to stand for exactly one receive. Does nothing without --oracle.
void check_oracle(const LoadOptions& options);

/// Tells a server on the `oracle` control which of its connections has just been sent to. Of the
/// one client thread.
class OracleTeller {
 public:
  /// `path`: what the server was given as --oracle. Throws Failure when it is no board.
  explicit OracleTeller(const std::string& path);
  OracleTeller(const OracleTeller&) = delete;
  OracleTeller& operator=(const OracleTeller&) = delete;
  ~OracleTeller();  ///< tells no more

  /// Looks up what the server calls those of `connections` that are open, and tells from now on.
  /// They have echoed once, and nothing is in flight. Throws Failure when the server does not know
  /// them, or somebody else tells it already.
  void begin(std::span<LoadConnection> connections);

  /// All of a message is sent on the connection of `fd`, a descriptor of ours.
  void tell(int fd) { board_.report(at_server_[fd]); }

 private:
  OracleBoard board_;
  std::string path_;
  bool has_begun_ = false;
  FdMap<std::uint32_t> at_server_;  ///< by our descriptors
};

}  // namespace muxlab
