#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace muxlab {

/// How long a rig that is over took, from the start of its building to the end of its ending.
struct RigTime {
  double build_s = 0;
  double seconds = 0;
};

/// How the time of one load is shared out to rigs, so that each look is at the end of one.
///
/// A look needs four rigs. Where four fit the first quarter of the time there are three looks, after
/// 4, 6 and 8 rigs; where they fit the first half there are two, after 4 and 6; else one, after 4,
/// or after 2 where building four would take most of the time. It depends on how long the first rig
/// took to build, so that a resumed load goes on by the same schedule.
class Schedule {
 public:
  explicit Schedule(double load_s) : load_s_(load_s) {}

  /// When, in seconds since the load began, the slices of the next rig end; `build_s` is how long
  /// that one took to build. Never more than the load has.
  [[nodiscard]] double end_of_next(std::span<const RigTime> done, double build_s) const;
  /// The look that the rig number `rig` (from 0) leads to, as an index of kLookErrors.
  [[nodiscard]] std::size_t look_after(std::uint64_t rig, double first_build_s) const;
  /// Whether that look is due when `rigs` are done.
  [[nodiscard]] bool is_look(std::uint64_t rigs, double first_build_s) const;
  [[nodiscard]] std::uint64_t rigs(double first_build_s) const;

 private:
  struct Part {
    std::size_t look;   // at its end
    double end;         // as a share of the time
    std::uint64_t rigs;
  };
  [[nodiscard]] std::span<const Part> parts(double first_build_s) const;

  double load_s_;
};

}  // namespace muxlab
