#pragma once

#include <random>

#include "bench/data/plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

struct RigOptions {
  bool time_calls = false;  ///< servers measure the time in their system calls
  /// Starts server and load for each visit, and ends them after it. A warm-up of a quarter of the
  /// slices precedes the visit that counts.
  bool is_isolated = false;
};

/// All servers and load processes of one load, alive at the same time. Only one server runs; the
/// others sleep with their connections open. Thread: one.
class Rig {
 public:
  /// Starts all servers in parallel, and then opens all connections in parallel. A contender that
  /// fails is excluded, and failure() returns the reason. Throws Interrupted.
  Rig(Sides& sides, const PlannedLoad& load, std::vector<Contender> contenders,
      const RigOptions& options);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig();

  /// Visits each contender once, in random order, and appends a slice for each. A contender that
  /// fails gives a broken slice, and later blocks skip it. Throws Interrupted.
  void run_block(std::uint64_t block, const SliceCommand& command, std::mt19937& random,
                 std::vector<Slice>& slices);

  /// Returns the reason why a contender is excluded; empty if it takes part.
  [[nodiscard]] const std::string& failure(std::size_t contender) const {
    return members_[contender].failure;
  }
  /// Returns the times of all slices of a contender since construction or forget_times().
  [[nodiscard]] const SliceTimes& times(std::size_t contender) const {
    return members_[contender].times;
  }
  void forget_times();
  /// Memory before the connections were opened, and with them. With several contenders built at
  /// once, with_connections.kernel_bytes is 0, because theirs cannot be separated.
  struct Memory {
    MemoryUse before;
    MemoryUse with_connections;
  };
  [[nodiscard]] const Memory& memory(std::size_t contender) const {
    return members_[contender].memory;
  }

 private:
  struct Member {
    Contender contender;
    std::unique_ptr<ServerSide> server;
    std::vector<std::unique_ptr<LoadSide>> loads;  // ended before the server
    std::string failure;
    SliceTimes times;
    Memory memory;
  };

  template <typename Step>
  static void each_alive(std::span<Member> members, Step step);
  void build(std::span<Member> members);
  static void end(Member& member, const std::string& why);
  void start_loads(Member& member) const;
  /// Runs `count` slices and returns their sum.
  Slice visit(Member& member, const SliceCommand& command, std::int64_t count);

  Sides& sides_;
  const Cell load_;
  const Processors processors_;
  const RigOptions options_;
  SliceTimes scratch_;  // of the current visit
  SteadyTime begin_;
  std::vector<Member> members_;
};

/// Seconds since boot that some processors were busy, or stolen by the host: proc_stat(5), which
/// counts in ticks. And the time and the number of periods for which the CPU quota of our control
/// group or an ancestor throttled this process and its children. nullopt: the kernel does not
/// report it.
struct Conditions {
  std::optional<double> busy_s;
  std::optional<double> stolen_s;
  std::optional<double> throttled_s;
  std::optional<std::uint64_t> throttled_periods;
};

/// Reads the conditions of `processors` (empty: of all) from proc and sys below `root`.
Conditions read_conditions(std::span<const int> processors, const std::filesystem::path& root);

/// Returns one line with the time that the CPU quota throttled a measurement, and the fix; empty
/// if it did not.
std::string throttling_words(const Conditions& before, const Conditions& after);

}  // namespace muxlab
