#pragma once

#include <filesystem>
#include <stdexcept>

#include "backends/counting/shared_counters.hpp"
#include "bench/data/experiment.hpp"
#include "bench/load/slice.hpp"

/// The two sides of a measurement as the harness commands them, wherever they run: LocalSides are
/// those of this machine. All calls are made by one thread.
namespace muxlab {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A side cannot go on, and why, in one line. Ends one contender and not the campaign.
struct SideFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// SIGINT or SIGTERM came while a side was waited for.
struct Interrupted {};

/// What a server takes of its machine's memory.
struct MemoryUse {
  std::uint64_t resident_bytes = 0;  ///< of the process
  /// Of the kernel for all processes there, both ends of connections included: objects, stacks of
  /// threads and page tables.
  std::uint64_t kernel_bytes = 0;
};

/// A server that sleeps: exact counters.
struct Silence {
  CounterSums counters;
  std::uint64_t cpu_ns = 0;  ///< of the process since it started, all its threads

  bool operator==(const Silence&) const = default;
};

/// A process of either kind, which ends with this object.
class Side {
 public:
  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  virtual ~Side() = default;

  /// Begins to end it, without waiting: many end sooner beside each other.
  virtual void abandon() = 0;
};

class ServerSide : public Side {
 public:
  /// Where it listens. Waits for it to start. Throws SideFailed, Interrupted.
  virtual std::string address() = 0;
  /// To be called once when all connections are open, before the first slice. Throws SideFailed.
  virtual void settle() = 0;
  /// Now; zeros where it cannot be read.
  virtual MemoryUse memory() = 0;
  /// Waits until the server sleeps, before a slice and after it. A server that never sleeps is
  /// stopped between slices instead. Throws SideFailed when it does not within a few seconds.
  virtual Silence begin_slice() = 0;
  virtual Silence end_slice() = 0;
  /// "the server ended with code 139: ...", or empty while it runs.
  virtual std::string how_it_ended() = 0;
};

/// Its end closes the connections.
class LoadSide : public Side {
 public:
  /// Returns at once; reply() waits.
  virtual void command(const SliceCommand& command) = 0;
  /// The answer to the last command, or, before the first, that all connections have echoed; adds
  /// what it timed to `times`. Throws SideFailed when it is broken or does not come in time,
  /// Interrupted.
  virtual SliceReply reply(SliceTimes& times) = 0;
};

/// What to start on either side. `cell.backend` names the server's.
struct ServerSpec {
  Cell cell;
  std::vector<int> processors;
  /// Have it add up the time in its system calls, which costs some itself.
  bool time_calls = false;
};
struct LoadSpec {
  Cell cell;  ///< with this process's part of the connections
  std::vector<int> processors;
  std::string address;
};

/// Starts sides. Returns at once: they start beside each other.
class Sides {
 public:
  Sides() = default;
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;
  virtual ~Sides() = default;

  virtual std::unique_ptr<ServerSide> start_server(const ServerSpec& spec) = 0;
  /// `server` is the one that listens at spec.address, and outlives the load.
  virtual std::unique_ptr<LoadSide> start_load(const LoadSpec& spec, ServerSide& server) = 0;
};

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

/// Waits until a server sleeps: `is_asleep()` says that no thread runs or waits for a processor,
/// and two readings with a nap between them are equal. Returns the second one; nothing when the
/// server does not sleep by `deadline`.
///
/// The threads are looked at before the reading that is returned. A thread that was pre-empted
/// before it counted something, and sleeps a moment later, would else be seen asleep beside a
/// reading that lacks what it counted.
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
