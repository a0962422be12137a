#pragma once

#include <filesystem>

#include "bench/rig/sides.hpp"

namespace muxlab {

/// `muxlab serve` and `muxlab load` as processes of this machine. The server's counters are memory
/// that both map, its CPU time is its process clock; loads are commanded over a socket.
///
/// The process clock of another process moves only at the kernel's tick while that runs, and is
/// exact when it has left its processor: so it is only read in silence.
///
/// TCP servers listen on loopback(), unix sockets and boards are in a folder of their own below
/// TMPDIR, or /tmp.
class LocalSides final : public Sides {
 public:
  /// `program`: the executable whose verbs are run. `interrupt`: a descriptor that becomes readable
  /// when measuring is to stop; -1: never; borrowed.
  LocalSides(std::filesystem::path program, int interrupt)
      : program_(std::move(program)), interrupt_(interrupt) {}

  LocalSides(const LocalSides&) = delete;
  LocalSides& operator=(const LocalSides&) = delete;
  ~LocalSides() override;

  std::unique_ptr<ServerSide> start_server(const ServerSpec& spec) override;
  std::unique_ptr<LoadSide> start_load(const LoadSpec& spec, ServerSide& server) override;

 private:
  /// In a folder of our own, so that nothing in it is another program's.
  std::filesystem::path new_file();

  std::filesystem::path program_;
  int interrupt_;
  int started_ = 0;               // servers, to name what each has of its own
  std::filesystem::path folder_;  // of sockets and boards; empty until one is needed
};

}  // namespace muxlab
