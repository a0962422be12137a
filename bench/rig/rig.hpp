#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/data/plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

/// All servers and loads of one load, alive side by side. One server at a time runs: the others
/// sleep, with their connections open.
class Rig {
 public:
  /// Starts all servers and opens all connections, beside each other. A contender that fails is
  /// left out, and failure() says why. Throws Interrupted.
  Rig(Sides& sides, const PlannedLoad& load, std::vector<Contender> contenders);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  Rig(Rig&&) = delete;
  Rig& operator=(Rig&&) = delete;
  ~Rig();

  /// Visits each contender once, in an order drawn from `random`, and appends a slice for each. One
  /// that fails gives a broken slice and is visited no more. Throws Interrupted.
  void run_block(std::uint64_t block, const SliceCommand& command, std::mt19937& random,
                 std::vector<Slice>& slices);

  /// Why a contender does not take part (any more); empty: it does.
  [[nodiscard]] const std::string& failure(std::size_t contender) const {
    return members_[contender].failure;
  }

 private:
  struct Member {
    Contender contender;
    std::unique_ptr<ServerSide> server;
    std::vector<std::unique_ptr<LoadSide>> loads;  // ended before the server
    std::string failure;
  };

  template <typename Step>
  void each_alive(Step step);
  static void end(Member& member, const std::string& why);
  void start_loads(Sides& sides, Member& member, const Processors& processors) const;
  Slice visit(Member& member, const SliceCommand& command) const;

  const Cell load_;
  SteadyTime begin_;
  std::vector<Member> members_;
};

}  // namespace muxlab
