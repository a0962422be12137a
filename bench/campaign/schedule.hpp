#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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

}  // namespace muxlab
