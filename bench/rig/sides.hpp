#pragma once

#include <filesystem>
#include <stdexcept>

#include "backends/counting/shared_counters.hpp"
#include "bench/data/experiment.hpp"
#include "bench/load/slice.hpp"

/// The harness's interface to the two sides of a measurement, on any machine. LocalSides runs them
/// on this machine. Thread: one makes all calls.
namespace muxlab {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A side cannot continue, for the reason in what(). It ends one contender, not the campaign.
struct SideFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The interrupt descriptor became readable (SIGINT, SIGTERM) during a wait for a side.
struct Interrupted {};

/// Memory use of a server's machine.
struct MemoryUse {
  std::uint64_t resident_bytes = 0;  ///< of the process
  /// Of the kernel, for all processes, with both ends of connections: slab objects, kernel stacks
  /// and page tables.
  std::uint64_t kernel_bytes = 0;
};

/// The exact counters of a sleeping server.
struct Silence {
  CounterSums counters;
  std::uint64_t cpu_ns = 0;  ///< of the process since it started, all its threads

  bool operator==(const Silence&) const = default;
};

/// A server or load process, which ends with this object.
class Side {
 public:
  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  virtual ~Side() = default;

  /// Starts to end the process without waiting, so that many can end in parallel.
  virtual void abandon() = 0;
};

class ServerSide : public Side {
 public:
  /// Waits for the server to start, and returns its address. Throws SideFailed, Interrupted.
  virtual std::string address() = 0;
  /// Must be called once, between opening connections and the first slice. Throws SideFailed.
  virtual void settle() = 0;
  /// Returns the current memory use; 0 for unreadable values.
  virtual MemoryUse memory() = 0;
  /// Wait until the server sleeps, before and after a slice, and return its counters. A server that
  /// never sleeps is stopped between slices instead. Throw SideFailed after a few seconds.
  virtual Silence begin_slice() = 0;
  virtual Silence end_slice() = 0;
  /// Returns "the server ended with code 139: ...", or empty while the server runs.
  virtual std::string how_it_ended() = 0;
};

/// A load process. Its end closes the connections.
class LoadSide : public Side {
 public:
  /// Sends a command and returns at once; reply() waits.
  virtual void command(const SliceCommand& command) = 0;
  /// Waits for the reply to the last command; before the first command, until all connections have
  /// echoed. Adds the latencies to `times`. Throws SideFailed if the reply is broken or late, and
  /// Interrupted.
  virtual SliceReply reply(SliceTimes& times) = 0;
};

/// The parameters of a server or load process. `cell.backend` is the server's backend.
struct ServerSpec {
  Cell cell;
  std::vector<int> processors;
  /// The server measures the time in its system calls, which adds some cost.
  bool time_calls = false;
};
struct LoadSpec {
  Cell cell;  ///< with this process's share of the connections
  std::vector<int> processors;
  std::string address;
};

/// Starts servers and loads. The calls return at once, so the processes start in parallel.
class Sides {
 public:
  Sides() = default;
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;
  virtual ~Sides() = default;

  virtual std::unique_ptr<ServerSide> start_server(const ServerSpec& spec) = 0;
  /// `server` listens at spec.address, and must outlive the load.
  virtual std::unique_ptr<LoadSide> start_load(const LoadSpec& spec, ServerSide& server) = 0;
};

/// Runs `muxlab serve` and `muxlab load` as processes of this machine. It reads the server's
/// counters from shared memory and its CPU time from its process clock, and commands loads over a
/// socket.
///
/// The kernel updates the process clock of a running process only at its tick. The clock is exact
/// once the process has left its processor, so it is read only while the server sleeps.
///
/// TCP servers listen on loopback(). Unix sockets and boards are in a private folder below TMPDIR,
/// or /tmp.
class LocalSides final : public Sides {
 public:
  /// `program`: the muxlab executable. `interrupt`: a borrowed descriptor that becomes readable
  /// when measuring must stop; -1: never.
  LocalSides(std::filesystem::path program, int interrupt)
      : program_(std::move(program)), interrupt_(interrupt) {}

  LocalSides(const LocalSides&) = delete;
  LocalSides& operator=(const LocalSides&) = delete;
  ~LocalSides() override;

  std::unique_ptr<ServerSide> start_server(const ServerSpec& spec) override;
  std::unique_ptr<LoadSide> start_load(const LoadSpec& spec, ServerSide& server) override;

 private:
  /// Returns a new path in the private folder. Throws Failure if the folder cannot be created.
  std::filesystem::path new_file();

  std::filesystem::path program_;
  int interrupt_;
  int started_ = 0;               // number of paths given out, which is the next file's name
  std::filesystem::path folder_;  // of sockets and boards; empty until the first is needed
};

/// Waits until a server sleeps: `is_asleep()` is true, so no thread runs or waits for a processor,
/// and two readings with a nap between them are equal. Returns the second reading; nullopt if the
/// server does not sleep by `deadline`.
///
/// is_asleep() must precede the returned reading. In the other order, a thread could be pre-empted
/// before it counts, count after the reading and fall asleep before the check. The reading would
/// then lack its last count.
template <typename IsAsleep, typename Read, typename Nap>
std::optional<Silence> await_silence(IsAsleep is_asleep, Read read, Nap nap, SteadyTime deadline) {
  Silence before = read();
  do {
    nap();
    const bool asleep = is_asleep();
    const Silence after = read();
    if (asleep && after == before) return after;
    before = after;
  } while (std::chrono::steady_clock::now() <= deadline);
  return std::nullopt;
}

}  // namespace muxlab
