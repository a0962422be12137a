#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "backends/backend.hpp"
#include "backends/given_sockets.hpp"
#include "backends/half_sync.hpp"
#include "backends/reactor.hpp"

/// Tests of loops whose poller, source or thread fails.
namespace muxlab {
namespace {

using test::event;
using test::GivenSockets;

std::vector<const Backend*> with_poller() {
  std::vector<const Backend*> found;
  for (const Backend* const backend : backends()) {
    if (backend->make_poller != nullptr && backend->probe().works) found.push_back(backend);
  }
  return found;
}

std::string name_of(const testing::TestParamInfo<const Backend*>& backend) {
  std::string name(backend.param->name);
  std::ranges::replace(name, '-', '_');
  return name;
}

class EveryPoller : public testing::TestWithParam<const Backend*> {};

TEST_P(EveryPoller, WaitsAsLongAsItMayAndNoLonger) {
  const auto poller = GetParam()->make_poller();
  const UniqueFd flag = event();
  poller->add(flag.get(), Interest::read);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(poller->wait(20).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(19));
  EXPECT_TRUE(poller->wait(0).empty());
  notify(flag.get());
  EXPECT_THAT(poller->wait(10'000), testing::Contains(flag.get()));
  poller->remove(flag.get());
  EXPECT_TRUE(poller->wait(0).empty());
}

INSTANTIATE_TEST_SUITE_P(Every, EveryPoller, testing::ValuesIn(with_poller()), name_of);

class SilentPoller final : public Poller {
 public:
  void add(int /*fd*/, Interest /*interest*/) override {}
  void modify(int /*fd*/, Interest /*interest*/) override {}
  void remove(int /*fd*/) override {}
  std::span<const int> wait(int /*timeout_ms*/) override { return {}; }
};

TEST(Probe, SaysOfAPollerThatItReportsNothing) {
  EXPECT_FALSE(probe_poller<SilentPoller>().works);
  EXPECT_EQ(probe_poller<SilentPoller>().reason, "it does not report a readable descriptor");
}

/// Everything that a serving thread is lent.
struct Lent {
  Lent() { options.drain = std::chrono::seconds(0); }
  Worker worker() {
    return {.source = source, .stop = stop.get(), .options = options, .stats = stats};
  }

  GivenSockets source;
  UniqueFd stop = event();
  ServeOptions options;
  WorkerStats stats;
};

std::vector<const Backend*> that_work() {
  std::vector<const Backend*> found;
  for (const Backend* const backend : backends()) {
    if (backend->probe().works) found.push_back(backend);
  }
  return found;
}

class EveryBackend : public testing::TestWithParam<const Backend*> {};

TEST_P(EveryBackend, ThrowsWhatItsSourceThrows) {
  Lent lent;
  const UniqueFd client = lent.source.give();
  lent.source.break_down();
  Worker worker = lent.worker();
  int failed_with = 0;
  try {
    GetParam()->serve(worker);
  } catch (const std::system_error& error) {
    failed_with = error.code().value();
  }
  EXPECT_EQ(failed_with, EBADF);
  EXPECT_EQ(lent.stats.accepted.get(), lent.stats.closed.get());
}

INSTANTIATE_TEST_SUITE_P(Every, EveryBackend, testing::ValuesIn(that_work()), name_of);

TEST(HalfSyncLoop, EndsThoughNoThreadServes) {
  constexpr int kMoreThanTheQueueHolds = 1100;
  Lent lent;
  std::vector<UniqueFd> clients;
  for (int i = 0; i < kMoreThanTheQueueHolds; ++i) {
    clients.push_back(lent.source.give());
    ASSERT_EQ(::send(clients.back().get(), "?", 1, MSG_NOSIGNAL), 1);
  }
  HalfSync loop(find_backend("poll")->make_poller(), lent.worker());
  std::thread waiter([&] { loop.wait_for_connections(); });
  while (lent.stats.accepted.get() < kMoreThanTheQueueHolds) std::this_thread::yield();
  notify(lent.stop.get());
  waiter.join();
  EXPECT_EQ(lent.stats.closed.get(), static_cast<std::uint64_t>(kMoreThanTheQueueHolds));
}

}  // namespace
}  // namespace muxlab
