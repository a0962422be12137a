#include "bench/load_trust.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// 1,000 messages of which all but `missing` came back, each after 1 ms, `lag_ns` of it ours.
std::vector<std::string> doubts(std::uint64_t missing, std::uint64_t lag_ns) {
  LoadOptions options;
  options.rate = 1000;
  LoadReport report;
  report.tally.offered = 1000;
  report.tally.echoes = 1000 - missing;
  for (std::uint64_t i = 0; i < report.tally.echoes; ++i) {
    report.tally.latency_ns.record(1'000'000);
    report.tally.send_lag_ns.record(lag_ns);
  }
  return why_not_trusted(options, report);
}

TEST(LoadTrust, IsThereWhenTheServerKeptUp) {
  EXPECT_THAT(doubts(0, 1000), IsEmpty());
  EXPECT_THAT(doubts(10, 240'000), IsEmpty());
}

TEST(LoadTrust, IsLostWhenTheServerDidNotKeepUp) {
  EXPECT_THAT(doubts(11, 1000), ElementsAre(HasSubstr("1000 messages were due and 989 came back")));
}

TEST(LoadTrust, IsLostWhenTheClientIsInTheFigures) {
  EXPECT_THAT(doubts(0, 260'000), ElementsAre(HasSubstr("the client sent too late")));
}

TEST(LoadTrust, IsNotForAClosedLoop) {
  EXPECT_THAT(why_not_trusted(LoadOptions{}, LoadReport{}), IsEmpty());
}

}  // namespace
}  // namespace muxlab
