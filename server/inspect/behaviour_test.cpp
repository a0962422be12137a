#include "server/inspect/behaviour.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/testing/program.hpp"

namespace muxlab {
namespace {

using AtlasJson = nlohmann::ordered_json;

AtlasJson read_json(const std::string& path) {
  std::ifstream file(MUXLAB_SOURCE_DIR + path);
  return AtlasJson::parse(file);
}

AtlasJson live_atlas(const std::string& prefix = "") {
  const test::Outcome outcome = test::run("inspect behaviour --json", prefix);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  return AtlasJson::parse(outcome.output);
}

const AtlasJson& row(const AtlasJson& rows, const std::string& name) {
  for (const AtlasJson& one : rows) {
    if (one["name"] == name) return one;
  }
  throw std::out_of_range("no row " + name);
}

/// Returns "6.18" of "6.18.44-fc". Reports do not change within a series.
std::string series(const AtlasJson& release) {
  const auto text = release.get<std::string>();
  return text.substr(0, text.find('.', text.find('.') + 1));
}

void expect_same_rows(const AtlasJson& found, const AtlasJson& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const AtlasJson& wanted : expected) {
    const AtlasJson& one = row(found, wanted["name"]);
    EXPECT_EQ(one, wanted) << "in the row " << wanted["name"] << ":\n"
                           << AtlasJson::diff(wanted, one).dump(2);
  }
}

TEST(Behaviour, IsWhatItWasWhenItWasTaken) {
  const AtlasJson expected = read_json("/results/behaviour/behaviour.json");
  const AtlasJson found = live_atlas();
  if (series(found["kernel_release"]) != series(expected["kernel_release"])) {
    GTEST_SKIP() << "taken on Linux " << expected["kernel_release"] << ", and this is "
                 << found["kernel_release"];
  }
  expect_same_rows(found["states"], expected["states"]);
  expect_same_rows(found["sequences"], expected["sequences"]);
}

std::string reported(const AtlasJson& atlas, const char* state, const char* column) {
  const AtlasJson& report = row(atlas["states"], state)["cells"][column]["reported"];
  if (report.is_string()) return report;
  return report.empty() ? "" : report[0].get<std::string>();
}

/// Checks facts of all supported kernels: the reports of select, poll and epoll for the states of a
/// connection, and those of a watch that asks for no event.
TEST(Behaviour, AConnectionsStatesAreTheKnownOnes) {
  struct Known {
    const char* state;
    const char* by_select;
    const char* by_poll;
    const char* unasked;
  };
  const AtlasJson atlas = live_atlas();
  for (const Known& known : {
           Known{"idle", "W", "OUT", ""},
           Known{"data", "R W", "IN OUT", ""},
           Known{"peer FIN", "R W", "IN OUT RDHUP", ""},
           Known{"data and peer FIN", "R W", "IN OUT RDHUP", ""},
           Known{"FIN both ways", "R W", "IN OUT RDHUP HUP", "HUP"},
           Known{"own SHUT_WR", "W", "OUT", ""},
           Known{"peer RST", "R W", "IN OUT RDHUP ERR HUP", "ERR HUP"},
           Known{"peer RST, error read", "R W", "IN OUT RDHUP HUP", "HUP"},
           Known{"send buffer full", "", "", ""},
           Known{"send buffer full, then RST", "R W", "IN OUT RDHUP ERR HUP", "ERR HUP"},
       }) {
    EXPECT_EQ(reported(atlas, known.state, "select"), known.by_select) << known.state;
    EXPECT_EQ(reported(atlas, known.state, "epoll-unasked"), known.unasked) << known.state;
    for (const char* column : {"poll", "epoll-lt", "epoll-et", "io-uring-poll"}) {
      EXPECT_EQ(reported(atlas, known.state, column), known.by_poll)
          << known.state << ' ' << column;
    }
  }
  EXPECT_EQ(reported(atlas, "closed while watched", "select"), "select EBADF");
  EXPECT_EQ(reported(atlas, "closed while watched", "poll"), "NVAL");
  EXPECT_EQ(reported(atlas, "closed while watched", "epoll-lt"), "");
  EXPECT_EQ(reported(atlas, "closed, a duplicate lives", "epoll-lt"), "IN");
  const std::vector<std::string> told_once = {"recv ECONNRESET", "recv 0 bytes: the end",
                                              "send EPIPE"};
  EXPECT_EQ(row(atlas["states"], "peer RST")["next"], told_once);
  const std::vector<std::string> accepted = {"accept works", "recv ECONNRESET"};
  EXPECT_EQ(row(atlas["states"], "listener, one was reset")["next"], accepted);
}

TEST(Behaviour, AnEdgeIsToldOnceAndALevelAgain) {
  const AtlasJson atlas = live_atlas();
  for (const AtlasJson& state : atlas["states"]) {
    const AtlasJson& cells = state["cells"];
    for (const char* level : {"select", "poll", "epoll-lt", "libevent"}) {
      if (cells[level]["reported"].is_string()) continue;  // the call failed
      EXPECT_EQ(cells[level]["again"], cells[level]["reported"]) << state["name"] << ' ' << level;
    }
    for (const char* edge : {"epoll-et", "io-uring-poll"}) {
      EXPECT_TRUE(cells[edge]["again"].empty()) << state["name"] << ' ' << edge;
    }
    for (const auto& [column, cell] : cells.items()) {
      EXPECT_FALSE(cell.contains("next")) << "the state was not the same: " << column;
    }
  }
}

TEST(Behaviour, SequencesTellEdgesFromLevels) {
  const AtlasJson atlas = live_atlas();
  const auto reported = [&](const char* sequence, std::size_t step, const char* column) {
    return row(atlas["sequences"], sequence)["steps"][step]["cells"][column].get<std::string>();
  };
  EXPECT_EQ(reported("partial read", 3, "epoll-lt"), "IN");
  EXPECT_EQ(reported("partial read", 3, "epoll-et"), "-");
  EXPECT_EQ(reported("partial read", 5, "epoll-et"), "IN");
  EXPECT_EQ(reported("one shot, and its re-arm", 6, "epoll-oneshot"), "-") << "even a hang-up";
  EXPECT_EQ(reported("one shot, and its re-arm", 8, "epoll-oneshot"), "IN RDHUP");
  EXPECT_EQ(reported("two writes before one wait", 2, "epoll-et"), "IN");
  EXPECT_EQ(reported("two writes before one wait", 3, "epoll-et"), "-");
  EXPECT_EQ(reported("to modify is to ask anew", 4, "epoll-et"), "IN");
  EXPECT_EQ(reported("to modify is to ask anew", 7, "epoll-et"), "-");
}

TEST(Behaviour, WhatIsMarkedDiffersFromPoll) {
  const AtlasJson atlas = live_atlas();
  const auto differs = [&](const char* state, const char* column) {
    return row(atlas["states"], state)["cells"][column]["differs"].get<bool>();
  };
  EXPECT_TRUE(differs("regular file", "epoll-lt"));
  EXPECT_FALSE(differs("regular file", "select"));
  EXPECT_TRUE(differs("closed while watched", "select"));
  EXPECT_TRUE(differs("closed, a duplicate lives", "epoll-et"));
  EXPECT_TRUE(differs("urgent byte", "libevent"));
  EXPECT_FALSE(differs("peer RST", "libevent"));
  for (const AtlasJson& state : atlas["states"]) {
    EXPECT_EQ(state["cells"]["poll"]["differs"], false);
    EXPECT_EQ(state["cells"]["epoll-unasked"]["differs"], false) << "it asks for less";
  }
  const std::string text = behaviour::atlas_text(atlas, {.width = 80, .colour = false});
  EXPECT_NE(text.find("*  epoll_ctl EPERM  epoll-lt epoll-et"), std::string::npos) << text;
}

TEST(Behaviour, ColumnsThatAreMissingAreToldWithTheReason) {
  const AtlasJson no_libevent = live_atlas("EVENT_NOEPOLL=1");
  EXPECT_NE(row(no_libevent["state_columns"], "libevent")["missing"], "");
  EXPECT_FALSE(no_libevent["states"][0]["cells"].contains("libevent"));
  const test::Outcome outcome = test::run_without_io_uring("inspect behaviour", EPERM);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("Without io-uring-poll: io_uring_setup is forbidden"),
            std::string::npos);
}

TEST(Behaviour, WorksWithSixtyFourDescriptors) {
  expect_same_rows(live_atlas("ulimit -n 64;")["states"], live_atlas()["states"]);
}

TEST(Behaviour, WorksWithoutPrivileges) {
  expect_same_rows(live_atlas(test::without_privileges())["states"], live_atlas()["states"]);
}

/// `muxlab inspect behaviour --markdown` makes the page from the data next to it.
TEST(Behaviour, TheCommittedPageIsThatOfTheCommittedData) {
  std::ifstream file(MUXLAB_SOURCE_DIR "/results/behaviour/README.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const AtlasJson atlas = read_json("/results/behaviour/behaviour.json");
  EXPECT_EQ(page, behaviour::atlas_markdown(atlas));
}

TEST(Behaviour, RefusesOptionsOfTheMachine) {
  const auto refused = [](const std::string& arguments, const std::string& reason) {
    const test::Outcome outcome = test::run("inspect " + arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_NE(outcome.output.find(reason), std::string::npos) << outcome.output;
  };
  refused("behaviour --for 10k", "excludes --for");
  refused("behaviour --json --markdown", "--json excludes --markdown");
  refused("--markdown", "--markdown is for muxlab inspect behaviour");
  refused("behavior", "muxlab inspect behavior: there is behaviour");
}

}  // namespace
}  // namespace muxlab
