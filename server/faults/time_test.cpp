#include <algorithm>
#include <atomic>
#include <thread>

#include "server/faults/faults.hpp"

/// Tests time-outs and clocks.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST_P(Faults, G42ClosesWithinATickAfterTheTimeout) {
  constexpr auto kTimeout = 200ms;
  constexpr auto kTick = kTimeout / 8;
  start({"--idle-timeout", "200ms"});
  std::vector<Clock::duration> delays;
  for (int i = 0; i < 5; ++i) {
    const Client client = connect();
    const auto active = Clock::now();
    ASSERT_TRUE(client.ping());
    EXPECT_TRUE(client.at_end());
    delays.push_back(Clock::now() - active);
  }
  const auto least = std::ranges::min(delays);  // the machine may delay some, but not all
  EXPECT_GE(least, kTimeout);
  EXPECT_LE(least, kTimeout + kTick + soon(20));
}

/// Runs a client that is never idle, in its own thread, and counts its echoes.
class ActiveClient {
 public:
  explicit ActiveClient(Client client)
      : client_(std::move(client)), thread_([this] {
          while (!over_ && client_.ping()) ++echoes_;
        }) {}
  ActiveClient(const ActiveClient&) = delete;
  ActiveClient& operator=(const ActiveClient&) = delete;
  ~ActiveClient() {
    over_ = true;
    thread_.join();
  }

  [[nodiscard]] int echoes() const { return echoes_; }

 private:
  Client client_;
  std::atomic<bool> over_ = false;
  std::atomic<int> echoes_ = 0;
  std::thread thread_;
};

TEST_P(Faults, G42ClosesManyAtOnceWithoutADelayForOthers) {
  const bool capped = cell().backend->probe().max_descriptor < FD_SETSIZE;
  const int many = capped ? 900 : bearable(repeat(2000, 10'000));
  start({"--idle-timeout", "1s"});
  const ActiveClient active(connect());
  // Closing all in one turn would starve the active client. A turn closes 64, and then serves. The
  // machine may delay the active client too, but not in each round.
  const int enough = many / 64 / 8;
  int echoes = 0;
  for (int round = 1; round <= 3 && echoes < enough; ++round) {
    std::vector<Client> idle;
    for (int i = 0; i < many; ++i) idle.push_back(connect());
    const auto closed = [&] {
      return count("closed") - static_cast<std::uint64_t>(many * (round - 1));
    };
    ASSERT_TRUE(eventually([&] { return closed() > 0; }));
    const int echoes_before = active.echoes();
    EXPECT_TRUE(eventually([&] { return closed() == static_cast<std::uint64_t>(many); }));
    echoes = active.echoes() - echoes_before;
    EXPECT_EQ(count("accepted") - count("closed"), 1U) << "the active client is left";
    for (Client& client : idle) client.reset();
  }
  EXPECT_GE(echoes, enough);
}

TEST_P(Faults, G43TakesNoNoticeOfTheWallClock) {
  constexpr auto kTimeout = 300ms;
  start({"--idle-timeout", "300ms"});
  const auto begin = Clock::now();
  const Client idle = connect();
  for (const int hours : {1, -1, 0}) {
    plan_->wall_clock_offset_s = hours * 3600;
    for (int i = 0; i < 3; ++i) {
      const auto connected = Clock::now();  // the machine may delay this test for a time-out
      EXPECT_TRUE(serves() || Clock::now() - connected >= kTimeout);
      std::this_thread::sleep_for(20ms);
    }
    const bool early = idle.has_input() && Clock::now() - begin < kTimeout;
    EXPECT_FALSE(early) << "after a jump of " << hours << " hours";
  }
  EXPECT_TRUE(idle.at_end());
  EXPECT_GE(Clock::now() - begin, kTimeout);
}

TEST_P(Faults, G43TakesTheShortestAndTheLongestTimeout) {
  for (const std::string timeout : {"1us", "1ms", "50000000m"}) {
    const bool is_short = timeout.ends_with("us") || timeout.ends_with("ms");
    start({"--idle-timeout", timeout});
    {
      const Client client = connect();
      if (is_short) {
        EXPECT_TRUE(client.is_cut_off()) << timeout;
      } else {
        EXPECT_TRUE(client.ping()) << timeout;
      }
      EXPECT_TRUE(settles_at(is_short ? 0.03 : 0.01)) << timeout;
    }
    expect_end(SIGTERM, 0, soon(2000));
  }
}

}  // namespace
}  // namespace muxlab::faults
