#pragma once

#include "bench/analysis/answer.hpp"
#include "bench/rig/rig.hpp"

namespace muxlab {

/// How the time of one load is shared out to rigs, so that each look is at the end of one.
///
/// A look needs four rigs. Where four fit the first quarter of the time there are three looks,
/// after 4, 6 and 8 rigs; where they fit the first half there are two, after 4 and 6; else one,
/// after 4, or after 2 where building four would take most of the time.
///
/// What fits is decided by the first two rigs: the quicker of them, for the first one may have to
/// wait for memory that the kernel has not had before. All functions take `builds_s`, how long each
/// rig so far took to build, the present one included; of no rig all builds count as quick.
class Schedule {
 public:
  explicit Schedule(double load_s) : load_s_(load_s) {}

  /// When, in seconds since the load began, the slices of the present rig end, of which
  /// `begun_s` had passed before it was built. Never more than the load has.
  [[nodiscard]] double end_of_rig(std::span<const double> builds_s, double begun_s) const;
  /// The look that the rig number `rig` (from 0) leads to, as an index of kLookErrors.
  [[nodiscard]] std::size_t look_after(std::uint64_t rig, std::span<const double> builds_s) const;
  /// Whether that look is due when all of these rigs are done.
  [[nodiscard]] bool is_look(std::span<const double> builds_s) const;
  /// How many there are in all.
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
