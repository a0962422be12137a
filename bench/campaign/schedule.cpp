#include <algorithm>
#include <array>

#include "bench/campaign/load_run.hpp"

namespace muxlab {
namespace {

constexpr double kBuildReserve = 1.2;  // a rig takes so much longer to build and to end

}  // namespace

/// Building may take three fifths of the time before the first look, and no more than that.
std::span<const Schedule::Part> Schedule::parts(std::span<const double> builds_s) const {
  static constexpr std::array kThreeLooks = {Part{0, 0.25, 4}, Part{1, 0.5, 2}, Part{2, 1, 2}};
  static constexpr std::array kTwoLooks = {Part{1, 0.5, 4}, Part{2, 1, 2}};
  static constexpr std::array kOneLook = {Part{2, 1, 4}};
  static constexpr std::array kTwoRigs = {Part{2, 1, 2}};
  constexpr double kMostBuilding = 0.6;
  if (builds_s.empty()) return kThreeLooks;
  const auto decisive = builds_s.first(std::min<std::size_t>(builds_s.size(), 2));
  const double four = 4 * std::ranges::min(decisive) / load_s_;
  if (four <= 0.25 * kMostBuilding) return kThreeLooks;
  if (four <= 0.5 * kMostBuilding) return kTwoLooks;
  if (four <= kMostBuilding) return kOneLook;
  return kTwoRigs;
}

std::uint64_t Schedule::rigs(std::span<const double> builds_s) const {
  std::uint64_t all = 0;
  for (const Part& part : parts(builds_s)) all += part.rigs;
  return all;
}

std::size_t Schedule::look_after(std::uint64_t rig, std::span<const double> builds_s) const {
  const std::span<const Part> all = parts(builds_s);
  for (const Part& part : all) {
    if (rig < part.rigs) return part.look;
    rig -= part.rigs;
  }
  return all.back().look;
}

bool Schedule::is_look(std::span<const double> builds_s) const {
  const std::uint64_t done = builds_s.size();
  return done > 0 &&
         (done >= rigs(builds_s) || look_after(done, builds_s) != look_after(done - 1, builds_s));
}

/// The rest of a part is shared out evenly to the rigs that it still needs. Each measures for as
/// long as it took to build at least, if that leaves the others the time to be built.
double Schedule::end_of_rig(std::span<const double> builds_s, double begun_s) const {
  const double build_s = builds_s.back();
  const auto later = static_cast<double>(rigs(builds_s) - builds_s.size());
  const double latest_s =
      std::max(load_s_ - later * kBuildReserve * build_s, begun_s + kBuildReserve * build_s);
  std::uint64_t before = builds_s.size() - 1;
  for (const Part& part : parts(builds_s)) {
    if (before >= part.rigs) {
      before -= part.rigs;
      continue;
    }
    const double share_s = (part.end * load_s_ - begun_s) / static_cast<double>(part.rigs - before);
    return std::min({load_s_, latest_s, begun_s + std::max(share_s, 2 * build_s)});
  }
  return load_s_;
}

}  // namespace muxlab
