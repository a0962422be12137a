#pragma once

#include "bench/analysis/answer.hpp"
#include "bench/rig/rig.hpp"

namespace muxlab {

/// Divides the time of one load among rigs, so that each look is at the end of a rig.
///
/// A look needs four rigs. If four fit the first quarter of the time there are three looks, after
/// 4, 6 and 8 rigs. If four fit the first half there are two, after 4 and 6. Otherwise there is
/// one, after 4, or after 2 if building four would take most of the time.
///
/// The quicker of the first two rigs decides, because the first one may have to wait for memory
/// that is new to the kernel. All functions take `builds_s`, the build times of the rigs so far,
/// the present one included. Without any rig, builds count as quick.
class Schedule {
 public:
  explicit Schedule(double load_s) : load_s_(load_s) {}

  /// Returns when the slices of the present rig end, in seconds since the load began; never after
  /// the end of the load. `begun_s` is when the building of the rig began.
  [[nodiscard]] double end_of_rig(std::span<const double> builds_s, double begun_s) const;
  /// Returns the look that rig number `rig` (from 0) leads to, as an index of kLookErrors.
  [[nodiscard]] std::size_t look_after(std::uint64_t rig, std::span<const double> builds_s) const;
  /// Returns whether a look is due when all of these rigs are done.
  [[nodiscard]] bool is_look(std::span<const double> builds_s) const;
  /// Returns the total number of rigs.
  [[nodiscard]] std::uint64_t rigs(std::span<const double> builds_s) const;

 private:
  struct Part {
    std::size_t look;  // at its end
    double end;        // as a share of the time
    std::uint64_t rigs;
  };
  [[nodiscard]] std::span<const Part> parts(std::span<const double> builds_s) const;

  double load_s_;
};

/// The progress of measuring a load.
struct LoadProgress {
  std::size_t load = 0;  ///< index in the plan
  double share = 0;      ///< of the load's time that has passed
  double left_s = 0;     ///< of the load's time, at most
  /// Computes the answer from finished rigs and the blocks of this one; slow for many rigs.
  std::function<Answer()> so_far;
};

/// Measures one load, until the look at which it is decided or until its time is over.
class LoadRun {
 public:
  /// Continues after the rigs of this load in `records`, and adds new ones to it. `seconds` is the
  /// limit of this load, earlier rigs included. Borrows `plan` and `records`.
  LoadRun(const SlicedPlan& plan, std::size_t load, double seconds,
          std::vector<RigRecord>& records);

  /// Returns whether no rig is left to measure.
  [[nodiscard]] bool is_over() const;
  /// Builds a rig, measures its blocks and ends it. Calls `report` after each block. Throws
  /// Interrupted, and Failure when the baseline fails.
  void run_rig(Sides& sides, const std::function<void(const LoadProgress&)>& report,
               std::vector<Slice>& slices);
  /// Returns the contenders of the next rig, in the order of its slices' numbers.
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
