#include "bench/report/plots.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <sstream>

#include "backends/backend.hpp"
#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SummaryRow with(SummaryRow row, std::string_view figure) {
  const auto place = std::ranges::find(figure_names(), figure) - figure_names().begin();
  row.spreads[static_cast<std::size_t>(place)] = spread_of({1});
  return row;
}

SummaryRow measured(std::uint64_t threads, std::uint64_t connections, std::uint64_t idle = 0,
                    std::uint64_t size_bytes = 64) {
  SummaryRow row;
  row.cell.backend = "poll";
  row.cell.threading = "single";
  row.cell.threads = threads;
  row.cell.connections = connections;
  row.cell.idle = idle;
  row.cell.size_bytes = size_bytes;
  row.rigs = 1;
  row.experiment = "idle";
  row.spreads.resize(figure_names().size());
  return with(with(std::move(row), "server_cpu_ns_per_echo"), "syscalls_per_echo");
}

std::vector<std::string> names_of(const std::vector<SummaryRow>& rows) {
  std::vector<std::string> names;
  for (const Plot& plot : plots_of(rows)) {
    if (plot.script == "cpu") names.push_back(plot.name);
  }
  return names;
}

TEST(PlotsOf, GoAlongEverythingThatVaries) {
  EXPECT_THAT(names_of({measured(1, 100)}), ElementsAre("cpu-vs-connections-threads-1"));
  EXPECT_THAT(names_of({measured(1, 100), measured(1, 1000)}),
              ElementsAre("cpu-vs-connections-threads-1"));
  EXPECT_THAT(names_of({measured(1, 100, 0), measured(1, 100, 9000)}),
              ElementsAre("cpu-vs-idle-connections-100-threads-1"));
  EXPECT_THAT(names_of({measured(1, 100, 0, 1), measured(1, 100, 0, 65536)}),
              ElementsAre("cpu-vs-size_bytes-connections-100-threads-1"));
  EXPECT_THAT(names_of({measured(1, 10), measured(2, 10), measured(1, 20)}),
              ElementsAre("cpu-vs-connections-threads-1", "cpu-vs-threads-connections-10"))
      << "but not along connections at 2 threads, where there is one number of them";
  EXPECT_TRUE(names_of({}).empty());
}

TEST(PlotsOf, WhatFollowsFromAnotherColumnIsNoAxisAndNoCondition) {
  std::vector<SummaryRow> rows = {measured(1, 10), measured(2, 10)};
  rows[1].cell.threading = "reuseport";
  EXPECT_THAT(names_of(rows), ElementsAre("cpu-vs-threads-connections-10"));
  EXPECT_THAT(names_of({measured(1, 10, 90), measured(1, 50, 50), measured(1, 100, 0)}),
              ElementsAre("cpu-vs-connections-threads-1"))
      << "always 100 of them in all";
}

TEST(PlotsOf, WordsTellPicturesApart) {
  std::vector<SummaryRow> rows = {measured(1, 10), measured(2, 10), measured(1, 10),
                                  measured(2, 10)};
  rows[2].cell.threading = rows[3].cell.threading = "shared";
  EXPECT_THAT(names_of(rows), ElementsAre("cpu-vs-threads-connections-10-threading-single",
                                          "cpu-vs-threads-connections-10-threading-shared"));
}

TEST(PlotsOf, AreNotDrawnWhereNobodyHasAValue) {
  SummaryRow row = measured(1, 100);
  EXPECT_EQ(plots_of(std::vector{row}).size(), 2U);
  for (auto& spread : row.spreads) spread.reset();
  EXPECT_TRUE(plots_of(std::vector{row}).empty());
}

/// As `experiment` measures it, with one more metric.
SummaryRow measured_by(const char* experiment, std::string_view figure) {
  SummaryRow row = with(measured(1, 100), figure);
  row.experiment = experiment;
  return row;
}

std::vector<std::string> all_names_of(const std::vector<SummaryRow>& rows) {
  std::vector<std::string> names;
  for (const Plot& plot : plots_of(rows)) names.push_back(plot.name);
  return names;
}

TEST(PlotsOf, AreThoseThatTheExperimentNames) {
  const SummaryRow cost = measured_by("cost", "cpu_rest_ns_per_echo");
  EXPECT_THAT(all_names_of({cost}),
              ElementsAre("cost-connections-100-threads-1", "cpu-vs-connections-threads-1"));
  const SummaryRow churn = measured_by("churn", "connections_per_s");
  EXPECT_THAT(all_names_of({churn}),
              ElementsAre("connections-vs-connections-threads-1", "cpu-vs-connections-threads-1"));
  SummaryRow memory = measured_by("memory", "server_bytes_per_connection");
  memory.cell.idle = 1000;
  EXPECT_THAT(all_names_of({memory}), ElementsAre("memory-connections-100-threads-1"));
  SummaryRow latency = measured_by("latency", "latency_ns_p99_99");
  latency.cell.rate_per_s = 5000;
  SummaryRow more = latency;
  more.cell.rate_per_s = 9000;
  EXPECT_THAT(all_names_of({latency, more}),
              ElementsAre("spectrum-connections-100-threads-1-rate_per_s-5000",
                          "spectrum-connections-100-threads-1-rate_per_s-9000",
                          "cpu-vs-rate_per_s-connections-100-threads-1"));
}

TEST(PlotsOf, GoAlongWordsWhereTheExperimentDoes) {
  SummaryRow shared = measured_by("fairness", "fairness");
  shared.cell.threads = 2;
  shared.cell.threading = "shared";
  SummaryRow acceptor = shared;
  acceptor.cell.threading = "acceptor";
  const auto plots = plots_of(std::vector{shared, acceptor});
  ASSERT_FALSE(plots.empty());
  EXPECT_EQ(plots.front().name, "fairness-vs-threading-connections-100-threads-2");
  EXPECT_EQ(place_on(plots.front().axis, acceptor), "acceptor");
  EXPECT_EQ(plots_of(std::vector{shared}).front().axis, "connections") << "it does not vary";
}

/// The CPU time of an echo is taken apart in every experiment that times calls.
TEST(PlotsOf, ShowWhatIsRarelyMeasuredWhereverItIs) {
  EXPECT_THAT(all_names_of({measured_by("idle", "cpu_rest_ns_per_echo")}),
              testing::Contains("cost-connections-100-threads-1"));
}

TEST(PlotsOf, AreNotOfTheDefaultRun) {
  std::vector<SummaryRow> rows = {measured(1, 10), measured(1, 100)};
  for (SummaryRow& row : rows) row.experiment = "default";
  EXPECT_TRUE(plots_of(rows).empty());
}

TEST(PlotsOf, ShowWhatMeetsTheirConditionsAndWasMeasured) {
  const std::vector<SummaryRow> rows = {measured(1, 10), measured(2, 10), measured(1, 20)};
  const Plot first = plots_of(rows).front();
  EXPECT_TRUE(first.shows(rows[0]));
  EXPECT_FALSE(first.shows(rows[1]));
  SummaryRow failed = rows[2];
  failed.rigs = 0;
  EXPECT_FALSE(first.shows(failed));
}

/// Line and point of each backend in style.gp, as "dash point".
std::map<std::string, std::string> looks() {
  std::istringstream style(
      read_whole(std::filesystem::path(MUXLAB_SOURCE_DIR) / "scripts/plots/style.gp"));
  std::vector<std::string> names;
  std::vector<std::string> styles;
  bool in_names = false;
  for (std::string line; std::getline(style, line);) {
    in_names = in_names || line.starts_with("known = ");
    if (in_names) {
      std::istringstream words(
          line.substr(line.find('"') + 1, line.rfind('"') - line.find('"') - 1));
      for (std::string name; words >> name;) names.push_back(name);
      in_names = line.ends_with('\\');
    }
    if (line.starts_with("set style line ")) {
      const std::size_t dash = line.find(" dt ");
      styles.push_back(line.substr(dash, line.find(" ps ") - dash));
    }
  }
  std::map<std::string, std::string> found;
  for (std::size_t i = 0; i < names.size(); ++i) found[names[i]] = styles.at(i);
  return found;
}

TEST(PlotStyle, EveryBackendCanBeToldWithoutColour) {
  const auto look_of = looks();
  std::set<std::string> different;
  for (const auto all : {backends(), controls()}) {
    for (const Backend* backend : all) {
      const auto look = look_of.find(std::string(backend->name));
      ASSERT_NE(look, look_of.end()) << backend->name << " has no line in scripts/plots/style.gp";
      EXPECT_TRUE(different.insert(look->second).second)
          << backend->name << " looks like another:" << look->second;
    }
  }
}

/// The pictures of CPU against connections at one thread and at two, where the latter cost more.
class PlotsTest : public ResultFolderTest {
 protected:
  [[nodiscard]] std::vector<std::string> drawn() const {
    std::vector<SummaryRow> rows;
    for (const std::uint64_t threads : {1U, 2U}) {
      for (const std::uint64_t connections : {100U, 1'000U}) {
        rows.push_back(measured(threads, connections));
        const auto place = std::ranges::find(figure_names(), "server_cpu_ns_per_echo");
        rows.back().spreads[static_cast<std::size_t>(place - figure_names().begin())] =
            spread_of({threads == 2 ? 7'000.0 : 1'000.0});
      }
    }
    write_whole(root_ / "summary.csv", summary_csv(rows));
    Gnuplot gnuplot(root_);
    std::vector<std::string> drawings;
    for (const Plot& plot : plots_of(rows)) {
      if (plot.script != "cpu" || plot.axis != "connections") continue;
      drawings.push_back(draw_plot(gnuplot, plot, {"a caption", std::nullopt}));
      EXPECT_EQ(read_whole(root_ / "plots" / (plot.name + ".svg")), drawings.back());
    }
    return drawings;
  }
};

/// The numbers along the axes.
std::vector<std::string> labels_in(const std::string& drawing) {
  std::vector<std::string> labels;
  constexpr std::string_view kText = "<tspan font-family=\"Helvetica,Arial,sans-serif\" >";
  for (std::size_t at = drawing.find(kText); at != std::string::npos;
       at = drawing.find(kText, at + 1)) {
    const std::size_t begin = at + kText.size();
    labels.push_back(drawing.substr(begin, drawing.find('<', begin) - begin));
  }
  return labels;
}

TEST_F(PlotsTest, HaveOneScale) {
  const auto drawings = drawn();
  ASSERT_EQ(drawings.size(), 2U);
  auto labels = labels_in(drawings[0]);
  auto others = labels_in(drawings[1]);
  EXPECT_NE(labels.back(), others.back()) << "the title";
  labels.pop_back();
  others.pop_back();
  EXPECT_EQ(labels, others);
  EXPECT_THAT(labels, testing::Contains(" 7")) << "also where nothing is above 1";
  EXPECT_THAT(drawings[0], HasSubstr("a caption"));
}

}  // namespace
}  // namespace muxlab
