#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bench/analysis/answer.hpp"
#include "bench/campaign/schedule.hpp"
#include "bench/rig/rig.hpp"

namespace muxlab {

/// How far the measuring of a load has come.
struct LoadProgress {
  std::size_t load = 0;  ///< index in the plan
  double share = 0;      ///< of the load's time that is over
  double left_s = 0;     ///< of the load's time, at most
  /// Of finished rigs and the blocks of this one; takes a while when there are many.
  std::function<Answer()> so_far;
};

/// One load from its first rig to the look at which it is decided, or to the end of its time.
class LoadRun {
 public:
  /// `records` of earlier rigs of this load are gone on from; new ones are added to it. `seconds`
  /// are all that this load may take, those of earlier rigs included.
  LoadRun(const SlicedPlan& plan, std::size_t load, double seconds,
          std::vector<RigRecord>& records);

  /// Whether no rig is left to be measured.
  [[nodiscard]] bool is_over() const;
  /// Builds a rig, measures its blocks and ends it. Calls `tell` after each block. Throws
  /// Interrupted, and Failure when the baseline itself fails.
  void run_rig(Sides& sides, const std::function<void(const LoadProgress&)>& tell,
               std::vector<Slice>& slices);
  /// Of the next rig, as its slices number them.
  [[nodiscard]] const std::vector<Contender>& contenders() const { return taking_part_; }
  [[nodiscard]] std::uint64_t rigs() const { return builds_s_.size(); }
  [[nodiscard]] double seconds_spent() const { return spent_s_; }

 private:
  void choose_contenders();
  void check_baseline(const Rig& rig, std::span<const Slice> slices) const;
  [[nodiscard]] std::vector<RigRecord> records_of(const Rig& rig, std::span<const Slice> slices,
                                                  double build_s) const;
  [[nodiscard]] bool is_mine(const RigRecord& record) const;
  void label_looks();
  void add_windows(std::span<RigRecord> records, std::span<const Slice> windows) const;

  const SlicedPlan& plan_;
  std::size_t load_;
  double seconds_;
  std::vector<RigRecord>& records_;
  Schedule schedule_;
  std::vector<double> builds_s_;        // of the rigs that are done
  double spent_s_ = 0;                  // on them
  double ending_s_ = 0;                 // how long the last one took to end
  std::vector<Contender> taking_part_;  // the instances of the baseline first
};

}  // namespace muxlab
