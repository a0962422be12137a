#include "bench/load/pattern.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace muxlab {
namespace {

std::vector<std::byte> bytes_of(const Pattern& pattern, std::uint64_t position, std::size_t size) {
  const auto bytes = pattern.at(position, size);
  return {bytes.begin(), bytes.end()};
}

TEST(Pattern, RepeatsAfterAPrimeNumberOfBytes) {
  const Pattern pattern(100'000);
  EXPECT_TRUE(pattern.matches(5, bytes_of(pattern, 5 + Pattern::kPeriod, 100'000)));
  EXPECT_TRUE(pattern.matches(5 + 7 * Pattern::kPeriod, bytes_of(pattern, 5, 100'000)));
  for (std::size_t divisor = 2; divisor < 182; ++divisor) EXPECT_NE(Pattern::kPeriod % divisor, 0U);
}

TEST(Pattern, DoesNotMatchItselfElsewhere) {
  const Pattern pattern(64);
  const auto message = bytes_of(pattern, 0, 8);
  for (std::uint64_t position = 1; position < Pattern::kPeriod; ++position) {
    ASSERT_FALSE(pattern.matches(position, message)) << position;
  }
}

TEST(Pattern, StartsEveryConnectionElsewhere) {
  std::set<std::uint64_t> starts;
  for (std::uint64_t i = 0; i < Pattern::kPeriod; ++i) starts.insert(Pattern::start_of(i));
  EXPECT_EQ(starts.size(), Pattern::kPeriod);
}

TEST(Pattern, UsesAllBytesAboutAsOften) {
  const Pattern pattern(1);
  std::array<int, 256> counts{};
  for (const std::byte byte : bytes_of(pattern, 0, 1)) ++counts[std::to_integer<std::size_t>(byte)];
  for (std::uint64_t i = 1; i < Pattern::kPeriod; ++i) {
    ++counts[std::to_integer<std::size_t>(pattern.at(i, 1).front())];
  }
  const auto [rarest, commonest] = std::ranges::minmax(counts);
  EXPECT_GT(rarest, 80);  // 128 on average
  EXPECT_LT(commonest, 180);
}

}  // namespace

namespace {

constexpr std::uint64_t kStart = 12'345;

class EchoStreamTest : public testing::Test {
 protected:
  /// Sends all due bytes, like a socket without limit.
  std::vector<std::byte> send_all() {
    std::vector<std::byte> sent;
    while (stream_.unsent() > 0) {
      const auto run = stream_.next_run(pattern_);
      sent.insert(sent.end(), run.begin(), run.end());
      stream_.add_sent(run.size());
    }
    return sent;
  }

  const Pattern pattern_{1000};
  EchoStream stream_{kStart};
};

TEST_F(EchoStreamTest, TakesBackWhatWasSentInAnyPieces) {
  stream_.extend(100'000);
  const auto sent = send_all();
  ASSERT_EQ(sent.size(), 100'000U);
  std::size_t taken = 0;
  for (std::size_t piece = 1; taken < sent.size(); piece = piece * 7 % 997) {
    const std::size_t size = std::min(piece, sent.size() - taken);
    ASSERT_TRUE(stream_.accept(pattern_, std::span(sent).subspan(taken, size)));
    taken += size;
  }
  EXPECT_TRUE(stream_.is_quiet());
  EXPECT_EQ(stream_.in_flight(), 0U);
}

TEST_F(EchoStreamTest, SendsNoMoreAtOnceThanThePatternHasInOnePiece) {
  stream_.extend(2500);
  EXPECT_EQ(stream_.next_run(pattern_).size(), 1000U);
  stream_.add_sent(1000);
  stream_.add_sent(1000);
  EXPECT_EQ(stream_.next_run(pattern_).size(), 500U);
}

TEST_F(EchoStreamTest, RefusesADifferentByte) {
  stream_.extend(64);
  auto echo = send_all();
  echo[63] ^= std::byte{1};
  EXPECT_FALSE(stream_.accept(pattern_, echo));
}

TEST_F(EchoStreamTest, RefusesALostByte) {
  stream_.extend(64);
  auto echo = send_all();
  echo.erase(echo.begin() + 10);
  EXPECT_FALSE(stream_.accept(pattern_, echo));
}

TEST_F(EchoStreamTest, RefusesMoreThanWasSent) {
  stream_.extend(64);
  auto echo = send_all();
  echo.push_back(pattern_.at(kStart + 64, 1).front());
  EXPECT_FALSE(stream_.accept(pattern_, echo));
  echo.pop_back();
  EXPECT_TRUE(stream_.accept(pattern_, echo));
  EXPECT_FALSE(stream_.accept(pattern_, pattern_.at(kStart + 64, 1)));
}

TEST_F(EchoStreamTest, RefusesTheBytesOfAnotherConnection) {
  stream_.extend(64);
  send_all();
  EXPECT_FALSE(stream_.accept(pattern_, pattern_.at(Pattern::start_of(1), 64)));
}

TEST_F(EchoStreamTest, CompletesOneMessageAfterTheOther) {
  stream_.extend(30);
  const auto echo = send_all();
  ASSERT_TRUE(stream_.accept(pattern_, std::span(echo).first(9)));
  EXPECT_FALSE(stream_.complete(10));
  ASSERT_TRUE(stream_.accept(pattern_, std::span(echo).subspan(9, 12)));
  EXPECT_TRUE(stream_.complete(10));
  EXPECT_TRUE(stream_.complete(10));
  EXPECT_FALSE(stream_.complete(10));
  EXPECT_EQ(stream_.completed(), 20U);
  EXPECT_EQ(stream_.in_flight(), 9U);
  EXPECT_FALSE(stream_.is_quiet());
}

}  // namespace

}  // namespace muxlab
