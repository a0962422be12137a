#include "bench/analysis/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <sstream>

#include "bench/data/csv.hpp"
#include "bench/report/answer_files.hpp"

namespace muxlab {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;

/// Simulates campaigns of poll and the self-check at `loads` busy loads.
class Simulated {
 public:
  explicit Simulated(const std::vector<std::uint64_t>& connections) {
    plan.contenders = {{{"epoll-lt", "epoll-lt"}, Role::baseline},
                       {{"poll", "poll"}, Role::compared},
                       {{"epoll-lt-again", "epoll-lt"}, Role::same_again}};
    for (const std::uint64_t count : connections) {
      PlannedLoad load;
      load.cell.threading = "single";
      load.cell.connections = count;
      load.unavailable = {"", "", ""};
      plan.loads.push_back(load);
    }
  }

  /// Adds the eight rigs of a load with three looks; poll is in those before `poll_leaves`.
  void measure(std::size_t load, double poll_ratio, std::uint64_t poll_leaves = 8,
               double deviation = 0.05) {
    for (std::uint64_t rig = 0; rig < 8; ++rig) {
      add(load, rig, "epoll-lt", std::nullopt, deviation);
      if (rig < poll_leaves) add(load, rig, "poll", poll_ratio, deviation);
      add(load, rig, "epoll-lt-again", 1, deviation);
    }
  }

  RigRecord& add(std::size_t load, std::uint64_t rig, const std::string& name,
                 std::optional<double> ratio, double deviation) {
    RigRecord& record = records.emplace_back();
    record.cell = plan.loads[load].cell;
    record.cell.backend = name;
    record.baseline = "epoll-lt";
    record.rig = rig;
    record.look = rig < 4 ? 0 : rig < 6 ? 1 : 2;
    record.seconds = 2;
    record.slices = 40;
    record.echoes = 1'000;
    record.bytes = 64'000;
    record.cpu_ns = static_cast<std::uint64_t>(5e6 * ratio.value_or(1));
    record.calls = {100, 1'000, 1'000, 0, 0, 0};
    record.events = 1'000;
    record.elapsed_ns = 10'000'000;
    if (ratio) {
      std::normal_distribution<double> noise(std::log(*ratio), deviation);
      std::vector<double> values(40), at_s(40);
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = noise(random_);
        at_s[i] = 0.05 * static_cast<double>(i);
      }
      record.summaries[Metric::cpu] = summarize(values, at_s);
    }
    return record;
  }

  [[nodiscard]] Answer answer() const { return answer_of(plan, records); }

  SlicedPlan plan;
  std::vector<RigRecord> records;

 private:
  std::mt19937_64 random_{1};
};

TEST(Answer, SaysWhatABackendCosts) {
  Simulated campaign({100});
  campaign.measure(0, 1.2);
  const Answer answer = campaign.answer();
  const AtLoad& baseline = answer.loads[0].contenders[0];
  EXPECT_EQ(baseline.ns[Metric::cpu], 5'000);
  EXPECT_NEAR(baseline.syscalls_per_echo, 2.1, 1e-12);
  EXPECT_EQ(baseline.events_per_wait, 10);
  EXPECT_EQ(baseline.echoes_per_s, 100'000);
  EXPECT_FALSE(baseline.compared[Metric::cpu]);
  const AtLoad& poll = answer.loads[0].contenders[1];
  EXPECT_EQ(poll.compared[Metric::cpu]->finding.verdict, Verdict::more_expensive);
  EXPECT_THAT(poll.ns[Metric::cpu], DoubleNear(6'000, 150)) << "the baseline's times the ratio";
  EXPECT_EQ(answer.loads[0].contenders[2].compared[Metric::cpu]->finding.verdict, Verdict::same);
  EXPECT_EQ(self_check(answer, Role::same_again)->verdict, Verdict::same);
  EXPECT_FALSE(self_check(answer, Role::extra_call));
  EXPECT_EQ(answer.asked(), 1U);
  EXPECT_EQ(answer.decided(), 1U);
  EXPECT_TRUE(answer.pooled.empty()) << "one load";
  EXPECT_FALSE(answer.has_failed());
}

TEST(Answer, AnIntervalIsThatOfItsLook) {
  Simulated early({100}), late({100});
  early.measure(0, 1.2, 4);
  late.measure(0, 1.2);
  const Compared first = *early.answer().loads[0].contenders[1].compared[Metric::cpu];
  EXPECT_EQ(first.look, 0U);
  EXPECT_EQ(first.estimate.rigs, 4U);
  EXPECT_EQ(first.estimate.blocks, 160U);
  EXPECT_EQ(late.answer().loads[0].contenders[1].compared[Metric::cpu]->look, 2U);
  // Later rigs do not change it, however different they are.
  Simulated more = early;
  for (std::uint64_t rig = 4; rig < 8; ++rig) {
    for (RigRecord& record : more.records) {
      if (record.rig == rig && record.cell.backend == "epoll-lt-again") {
        record.summaries[Metric::cpu].trimmed_mean += rig % 2 == 0 ? 1 : -1;
      }
    }
  }
  const Compared still = *more.answer().loads[0].contenders[1].compared[Metric::cpu];
  EXPECT_EQ(still.finding.low, first.finding.low);
  EXPECT_EQ(still.finding.high, first.finding.high);
}

TEST(Answer, FewRigsOrBlocksGiveNoVerdict) {
  Simulated campaign({100});
  for (std::uint64_t rig = 0; rig < 3; ++rig) {
    campaign.add(0, rig, "epoll-lt", std::nullopt, 0.01);
    campaign.add(0, rig, "poll", 2, 0.01);
  }
  const Answer answer = campaign.answer();
  const Compared& poll = *answer.loads[0].contenders[1].compared[Metric::cpu];
  EXPECT_EQ(poll.finding.verdict, Verdict::unclear) << "three rigs of a first look";
  EXPECT_GT(poll.finding.low, 1);
  EXPECT_THAT(answer_text(answer), HasSubstr("unclear (3 rigs)"));
  EXPECT_FALSE(is_settled(answer.loads[0].contenders[1], campaign.plan.loads[0], 0.5))
      << "narrow, and yet not enough";
}

TEST(Answer, WhatIsNotEnoughIsNotPooled) {
  Simulated campaign({10, 100});
  campaign.measure(0, 1.2);
  for (std::uint64_t rig = 0; rig < 3; ++rig) {
    campaign.add(1, rig, "epoll-lt", std::nullopt, 0.01);
    campaign.add(1, rig, "poll", 1.2, 0.01);
    campaign.add(1, rig, "epoll-lt-again", 1, 0.01);
  }
  const Answer answer = campaign.answer();
  ASSERT_EQ(answer.pooled.size(), 2U);
  EXPECT_EQ(answer.pooled[0].finding.verdict, Verdict::unclear);
  EXPECT_EQ(self_check(answer, Role::same_again)->verdict, Verdict::unclear);
}

TEST(Answer, TwoRigsTakeTheirInflationFromEarlierLoads) {
  Simulated campaign({100, 1'000});
  campaign.measure(0, 1.2);
  for (RigRecord& record : campaign.records) {  // rigs that lie apart
    if (record.summaries[Metric::cpu].blocks > 0)
      record.summaries[Metric::cpu].trimmed_mean += record.rig % 2 == 0 ? 0.1 : -0.1;
  }
  for (std::uint64_t rig = 0; rig < 2; ++rig) {
    for (const char* const name : {"epoll-lt", "poll", "epoll-lt-again"}) {
      RigRecord& record = campaign.add(
          1, rig, name, std::string(name) == "epoll-lt" ? std::nullopt : std::optional<double>(1.5),
          0.05);
      record.look = 2;
    }
  }
  const Answer answer = campaign.answer();
  EXPECT_GT(answer.loads[0].inflation.f, 20);
  EXPECT_EQ(answer.loads[1].inflation.f, answer.loads[0].inflation.f);
}

TEST(Answer, PoolsBusyLoadsAndNeverASubset) {
  Simulated campaign({1, 10, 100});
  for (std::size_t load = 0; load < 3; ++load) campaign.measure(load, 1.2);
  ASSERT_EQ(campaign.answer().pooled.size(), 2U);
  EXPECT_EQ(campaign.answer().pooled[0].finding.verdict, Verdict::more_expensive);
  campaign.plan.loads[1].unavailable[1] = "it takes at most 5 connections";
  std::erase_if(campaign.records, [](const RigRecord& record) {
    return record.cell.backend == "poll" && record.cell.connections == 10;
  });
  const Answer answer = campaign.answer();
  ASSERT_EQ(answer.pooled.size(), 1U);
  EXPECT_EQ(answer.pooled[0].planned.contender.name, "epoll-lt-again");
  EXPECT_THAT(answer_text(answer), HasSubstr("not measured: poll at 10 busy: it takes at most 5"));
}

TEST(Answer, SilentLoadsAreNotPooled) {
  Simulated campaign({1, 10, 100});
  campaign.plan.loads[2].cell.idle = 5'000;
  campaign.measure(0, 1.02);
  campaign.measure(1, 1.02);
  campaign.measure(2, 4);
  const Answer answer = campaign.answer();
  EXPECT_LT(answer.pooled[0].finding.ratio, 1.05);
  EXPECT_EQ(answer.loads[2].contenders[1].compared[Metric::cpu]->finding.verdict,
            Verdict::more_expensive);
}

TEST(Answer, WhatIsBrokenIsNamedAndFails) {
  Simulated campaign({100});
  campaign.measure(0, 1.2);
  campaign.records[1].broken = 1;
  campaign.records[1].reason = "client and server disagree";
  Answer answer = campaign.answer();
  EXPECT_TRUE(answer.has_failed());
  EXPECT_EQ(answer.broken_slices(), 1U);
  EXPECT_THAT(answer_text(answer), HasSubstr("broken: poll at 100 busy: client and server"));
  for (RigRecord& record : campaign.records) {
    if (record.cell.backend != "poll") continue;
    record.summaries = {};
    record.echoes = 0;
  }
  answer = campaign.answer();
  EXPECT_EQ(answer.loads[0].contenders[1].status, Status::failed);
  EXPECT_EQ(answer.asked(), 1U);
  EXPECT_EQ(answer.decided(), 0U);
}

TEST(Answer, HeavyTailsAreNotHidden) {
  Simulated campaign({100});
  campaign.measure(0, 1.2);
  EXPECT_THAT(answer_text(campaign.answer()), testing::Not(HasSubstr("heavy tail")));
  for (RigRecord& record : campaign.records) {
    if (record.cell.backend == "poll") record.cpu_ns *= 2;
  }
  EXPECT_THAT(answer_text(campaign.answer()),
              HasSubstr("heavy tail: poll at 100 busy: untrimmed, the ratio is 2.4"));
}

TEST(Answer, BurstsAreNamed) {
  Simulated campaign({100});
  campaign.measure(0, 1.2);
  campaign.records[1].window_events = 1'300;
  campaign.records[1].window_waits = 100;
  EXPECT_TRUE(campaign.answer().loads[0].contenders[1].is_bursty()) << "10 in slices, 13 in it";
  EXPECT_THAT(answer_text(campaign.answer()), HasSubstr("bursts: at 100 busy, 1 of 3"));
  campaign.records[1].window_events = 1'100;
  EXPECT_FALSE(campaign.answer().loads[0].contenders[1].is_bursty());
}

TEST(Answer, AnIntervalThatSaysNothingIsNotShown) {
  Simulated campaign({100});
  campaign.measure(0, 1, 8, 60);
  const std::string text = answer_text(campaign.answer());
  EXPECT_THAT(text, HasSubstr("unclear (too little data)"));
  EXPECT_THAT(text, testing::Not(HasSubstr("0000000")));
  EXPECT_THAT(interim_words(campaign.answer(), 0, 80), testing::Not(HasSubstr("±")));
}

TEST(Answer, NarrowIsWithinThePrecision) {
  Simulated campaign({100});
  campaign.measure(0, 1.2);
  EXPECT_TRUE(campaign.answer().is_precise()) << "none was asked for";
  campaign.plan.precision = 0.5;
  EXPECT_TRUE(campaign.answer().is_precise());
  campaign.plan.precision = 0.0001;
  EXPECT_FALSE(campaign.answer().is_precise());
}

/// No line of a table or note is wider than a terminal of 100 columns.
void expect_narrow(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LE(columns, 100) << line;
  }
}

TEST(Answer, IsNarrowHoweverWideItsIntervals) {
  for (const double deviation : {0.05, 0.5, 2.0}) {
    Simulated campaign({1, 10, 100, 1'000, 10'000, 12'000, 14'000});
    for (std::size_t load = 0; load < 7; ++load) campaign.measure(load, 20, 8, deviation);
    const std::string text = answer_text(campaign.answer());
    expect_narrow(text);
    EXPECT_THAT(text, HasSubstr("14k busy"));
  }
}

/// The committed run of the default command, on an otherwise idle machine.
class DefaultRun : public testing::Test {
 protected:
  static constexpr const char* kFolder =
      MUXLAB_SOURCE_DIR "/results/epyc-2-vcpu-2026-11-30/default";

  DefaultRun() : answer_(answer_of(plan_of(kFolder), read_records(kFolder))) {}

  static SlicedPlan plan_of(const std::filesystem::path& folder) {
    return plan_from_json(read_machine_record(folder).at("plan"));
  }
  [[nodiscard]] Verdict verdict(const std::string& backend, std::uint64_t connections,
                                std::uint64_t idle = 0) const {
    for (const LoadAnswer& load : answer_.loads) {
      if (load.load.cell.connections != connections || load.load.cell.idle != idle) continue;
      for (const AtLoad& one : load.contenders) {
        if (one.planned.contender.name == backend)
          return one.compared[Metric::cpu]->finding.verdict;
      }
    }
    ADD_FAILURE() << "no " << backend << " at " << connections;
    return Verdict::depends;
  }

  Answer answer_;
};

TEST_F(DefaultRun, Tells) {
  EXPECT_EQ(answer_.loads.size(), 5U);
  EXPECT_GE(answer_.asked(), 50U);
  EXPECT_GE(static_cast<double>(answer_.decided()), 0.75 * static_cast<double>(answer_.asked()));
  EXPECT_FALSE(answer_.has_failed());
  for (const std::uint64_t connections : {100U, 1'000U}) {
    EXPECT_EQ(verdict("bufferevent", connections), Verdict::more_expensive);
    EXPECT_EQ(verdict("threads", connections), Verdict::more_expensive);
  }
  EXPECT_EQ(verdict("select", 100, 5'000), Verdict::more_expensive);
  EXPECT_EQ(verdict("poll", 100, 5'000), Verdict::more_expensive);
}

TEST_F(DefaultRun, PassesItsSelfCheck) {
  EXPECT_EQ(self_check(answer_, Role::extra_call)->verdict, Verdict::more_expensive);
  const Verdict again = self_check(answer_, Role::same_again)->verdict;
  EXPECT_TRUE(again == Verdict::same || again == Verdict::unclear);
  for (const LoadAnswer& load : answer_.loads) {
    for (const AtLoad& one : load.contenders) {
      if (one.planned.role != Role::same_again) continue;
      EXPECT_TRUE(one.compared[Metric::cpu]->finding.verdict == Verdict::same ||
                  one.compared[Metric::cpu]->finding.verdict == Verdict::unclear)
          << name_of_load(load.load.cell);
    }
  }
}

TEST_F(DefaultRun, TookAsLongAsItMay) {
  double all_s = 0;
  for (const RigRecord& record : read_records(kFolder)) {
    if (record.is_baseline()) all_s += record.seconds;
  }
  EXPECT_LE(all_s, 225);
}

TEST_F(DefaultRun, IsShownIn100ColumnsAndKeptInAFewFiles) {
  expect_narrow(answer_text(answer_));
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder)) {
    const bool is_committed =
        entry.path().filename() != "slices.csv" && entry.path().filename() != "report.html";
    if (entry.is_regular_file() && is_committed) bytes += entry.file_size();
  }
  EXPECT_LE(bytes, 300'000U);
}

}  // namespace
}  // namespace muxlab
