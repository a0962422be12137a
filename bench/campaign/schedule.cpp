#include "bench/campaign/schedule.hpp"

#include <algorithm>
#include <array>

namespace muxlab {

/// Building may take three fifths of the time before the first look, and no more than that.
std::span<const Schedule::Part> Schedule::parts(double first_build_s) const {
  static constexpr std::array kThreeLooks = {Part{0, 0.25, 4}, Part{1, 0.5, 2}, Part{2, 1, 2}};
  static constexpr std::array kTwoLooks = {Part{1, 0.5, 4}, Part{2, 1, 2}};
  static constexpr std::array kOneLook = {Part{2, 1, 4}};
  static constexpr std::array kTwoRigs = {Part{2, 1, 2}};
  constexpr double kMostBuilding = 0.6;
  const double four = 4 * first_build_s / load_s_;
  if (four <= 0.25 * kMostBuilding) return kThreeLooks;
  if (four <= 0.5 * kMostBuilding) return kTwoLooks;
  if (four <= kMostBuilding) return kOneLook;
  return kTwoRigs;
}

std::uint64_t Schedule::rigs(double first_build_s) const {
  std::uint64_t all = 0;
  for (const Part& part : parts(first_build_s)) all += part.rigs;
  return all;
}

std::size_t Schedule::look_after(std::uint64_t rig, double first_build_s) const {
  const std::span<const Part> all = parts(first_build_s);
  for (const Part& part : all) {
    if (rig < part.rigs) return part.look;
    rig -= part.rigs;
  }
  return all.back().look;
}

bool Schedule::is_look(std::uint64_t rigs, double first_build_s) const {
  return rigs > 0 && (rigs >= this->rigs(first_build_s) ||
                      look_after(rigs, first_build_s) != look_after(rigs - 1, first_build_s));
}

/// The rest of a part is shared out evenly to the rigs that it still needs.
double Schedule::end_of_next(std::span<const RigTime> done, double build_s) const {
  const double first_build_s = done.empty() ? build_s : done.front().build_s;
  double begun_s = 0;
  for (const RigTime& rig : done) begun_s += rig.seconds;
  std::uint64_t before = done.size();
  for (const Part& part : parts(first_build_s)) {
    if (before >= part.rigs) {
      before -= part.rigs;
      continue;
    }
    const double left_s = part.end * load_s_ - begun_s;
    const double share_s = left_s / static_cast<double>(part.rigs - before);
    return std::min(load_s_, begun_s + std::max(share_s, build_s));
  }
  return load_s_;
}

}  // namespace muxlab
