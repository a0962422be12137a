#pragma once

#include <random>

#include "bench/data/plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

struct RigOptions {
  bool time_calls = false;  ///< have servers add up the time in their system calls
  /// Start server and load for each visit, and end them after it. A slice of a quarter of the time
  /// goes before the one that counts.
  bool is_isolated = false;
};

/// All servers and loads of one load, alive side by side. One server at a time runs: the others
/// sleep, with their connections open.
class Rig {
 public:
  /// Starts all servers and opens all connections, beside each other. A contender that fails is
  /// left out, and failure() says why. Throws Interrupted.
  Rig(Sides& sides, const PlannedLoad& load, std::vector<Contender> contenders,
      const RigOptions& options);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig();

  /// Visits each contender once, in an order drawn from `random`, and appends a slice for each. One
  /// that fails gives a broken slice and is visited no more. Throws Interrupted.
  void run_block(std::uint64_t block, const SliceCommand& command, std::mt19937& random,
                 std::vector<Slice>& slices);

  /// Why a contender does not take part (any more); empty: it does.
  [[nodiscard]] const std::string& failure(std::size_t contender) const {
    return members_[contender].failure;
  }
  /// All slices of a contender added up, since the rig was built or forget_times() was called.
  [[nodiscard]] const SliceTimes& times(std::size_t contender) const {
    return members_[contender].times;
  }
  void forget_times();
  /// Before the connections were opened and with them. Nothing is known of the kernel's where
  /// others opened theirs meanwhile.
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
  /// `count` slices, added up.
  Slice visit(Member& member, const SliceCommand& command, std::int64_t count);

  Sides& sides_;
  const Cell load_;
  const Processors processors_;
  const RigOptions options_;
  SliceTimes scratch_;  // of the slice under way
  SteadyTime begin_;
  std::vector<Member> members_;
};

/// Seconds that some processors were busy or taken by the host, since the machine was started:
/// proc_stat(5), which counts in ticks. And for how long, in how many periods, the quota of our
/// control group or of an ancestor stopped this process and its children. Nothing where the kernel
/// does not tell.
struct Conditions {
  std::optional<double> busy_s;
  std::optional<double> stolen_s;
  std::optional<double> throttled_s;
  std::optional<std::uint64_t> throttled_periods;
};

/// Reads them for `processors`, or for all when empty, below `root`.
Conditions read_conditions(std::span<const int> processors, const std::filesystem::path& root);

/// How long the quota of processor time stopped a measurement, as one line with the cure; empty
/// when it did not.
std::string throttling_words(const Conditions& before, const Conditions& after);

}  // namespace muxlab
