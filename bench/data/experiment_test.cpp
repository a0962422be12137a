#include "bench/data/experiment.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <tuple>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

TEST(Experiment, GridIsTheCrossOfItsLists) {
  const Grid grid{.threads = {1, 2},
                  .connections = {10, 100, 1'000},
                  .idle = {0, 50},
                  .size_bytes = {64, 1'024},
                  .rate_per_s = {0, 1'000}};
  const auto cells = expand(grid);
  EXPECT_EQ(cells.size(), 2U * 3 * 2 * 2 * 2);
  std::set<Point> seen;
  for (const Cell& cell : cells) seen.insert(point_of(cell));
  EXPECT_EQ(seen.size(), cells.size()) << "a load came twice";
}

TEST(Experiment, ThreadingFollowsTheThreadsUnlessAsked) {
  Grid grid{.threads = {1, 2}, .connections = {10}};
  EXPECT_EQ(expand(grid)[0].threading, "single");
  EXPECT_EQ(expand(grid)[1].threading, "reuseport");
  grid.threading = {"acceptor"};
  EXPECT_EQ(expand(grid)[0].threading, "acceptor");
}

TEST(Experiment, ATotalMakesIdleOnesOfThoseNotActive) {
  const auto cells = expand({.connections = {10, 5'000, 6'000}, .total = 5'000});
  EXPECT_EQ(cells[0].idle, 4'990U);
  EXPECT_EQ(cells[1].idle, 0U);
  EXPECT_EQ(cells[2].idle, 0U);
}

TEST(Experiment, AllAreComplete) {
  for (const Experiment& experiment : experiments()) {
    EXPECT_EQ(&find_experiment(experiment.name), &experiment);
    EXPECT_TRUE(experiment.question.ends_with("?"));
    for (const std::string_view picture : experiment.pictures) {
      EXPECT_TRUE(std::filesystem::exists(
          fmt::format("{}/scripts/plots/{}.gp", MUXLAB_SOURCE_DIR, picture)))
          << picture;
    }
  }
}

TEST(Experiment, UnknownNameIsAUsageError) {
  try {
    find_experiment("speed");
    FAIL() << "found";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::usage);
    EXPECT_NE(std::string(failure.what()).find("throughput"), std::string::npos);
  }
}

}  // namespace
}  // namespace muxlab
