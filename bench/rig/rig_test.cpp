#include "bench/rig/rig.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "bench/rig/sides.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr SliceCommand kShort{.duration_ns = 500'000, .round_trips = 3};

PlannedLoad load_of(std::uint64_t connections, std::uint64_t idle, std::uint64_t size_bytes = 64) {
  PlannedLoad load;
  load.cell.threading = "single";
  load.cell.connections = connections;
  load.cell.idle = idle;
  load.cell.size_bytes = size_bytes;
  load.processors = share_processors(allowed_processors(), 1);
  return load;
}

std::vector<Contender> contenders_named(const std::vector<std::string>& names) {
  std::vector<Contender> all;
  for (const std::string& name : names) all.push_back({name, name});
  return all;
}

/// A backend with a threading model.
struct Served {
  std::string backend;
  std::string threading;
  std::uint64_t threads;
};

// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for
void PrintTo(const Served& served, std::ostream* out) {
  *out << served.backend << " on " << served.threading;
}

/// Returns the backends that work here, with controls, each on all its threading models.
std::vector<Served> all_that_work() {
  std::vector<Served> served;
  for (const auto all : {backends(), controls()}) {
    for (const Backend* backend : all) {
      if (!backend->probe().works) continue;
      for (const ThreadingModel& model : kThreadingModels) {
        if (!why_not(*backend, model.threading).empty()) continue;
        served.push_back({std::string(backend->name), std::string(model.name),
                          model.threading == Threading::single ? 1U : 2U});
      }
    }
  }
  return served;
}

/// Real servers and loads. Their counts are exact, so the test does not depend on the machine.
class RealRig : public testing::TestWithParam<Served> {
 protected:
  std::vector<Slice> run(PlannedLoad load, int blocks) {
    load.cell.threading = GetParam().threading;
    load.cell.threads = GetParam().threads;
    LocalSides sides(MUXLAB_BINARY, -1);
    Rig rig(sides, load, contenders_named({GetParam().backend, GetParam().backend}), {});
    std::vector<Slice> slices;
    std::mt19937 random(7);
    for (int block = 0; block < blocks; ++block) {
      rig.run_block(static_cast<std::uint64_t>(block), kShort, random, slices);
    }
    EXPECT_EQ(rig.failure(0), "");
    return slices;
  }
};

TEST_P(RealRig, BothSidesCountTheSameAndTheClockMoves) {
  const Backend& backend = *find_backend(GetParam().backend);
  const auto slices = run(load_of(20, 10), 3);
  ASSERT_EQ(slices.size(), 6U);
  for (const Slice& slice : slices) {
    EXPECT_EQ(slice.broken, "");
    EXPECT_GE(slice.echoes, 60U);
    EXPECT_EQ(slice.bytes, slice.echoes * 64);
    EXPECT_GT(slice.cpu_ns, 0U);
    if (!backend.calls || GetParam().threading != "single") continue;
    const auto of = [&](Call call) {
      return static_cast<double>(slice.calls[static_cast<std::size_t>(call)]) /
             static_cast<double>(slice.echoes);
    };
    EXPECT_NEAR(of(Call::read), backend.calls->read, 0.001) << "exact, between two silences";
    EXPECT_NEAR(of(Call::write), backend.calls->write, 0.001);
  }
}

TEST_P(RealRig, LargeMessagesToo) {
  // Two controls need messages of one receive.
  const bool one_receive = GetParam().backend == "bare-epoll-et" || GetParam().backend == "oracle";
  const std::uint64_t size = one_receive ? 8'000 : 100'000;
  for (const Slice& slice : run(load_of(3, 0, size), 2)) {
    EXPECT_EQ(slice.broken, "");
    EXPECT_EQ(slice.bytes, slice.echoes * size);
  }
}

/// Also for a server whose threads come and go with the connections.
TEST_P(RealRig, ConnectionsComeAndGo) {
  if (is_oracle(*find_backend(GetParam().backend))) return;  // its client refuses --churn
  PlannedLoad load = load_of(8, 2);
  load.cell.churn = 2;
  for (const Slice& slice : run(load, 2)) {
    EXPECT_EQ(slice.broken, "");
    EXPECT_GE(slice.opened, 8U);
    EXPECT_EQ(slice.bytes, slice.echoes * 64);
    EXPECT_GT(slice.first_echo_ns_p50, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, RealRig, testing::ValuesIn(all_that_work()),
                         [](const auto& test) {
                           std::string name = test.param.backend + "_on_" + test.param.threading;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(RealRigs, ThreadsCostsWhatItCostsWithAThousandOfThem) {
  LocalSides sides(MUXLAB_BINARY, -1);
  Rig rig(sides, load_of(1'000, 0), contenders_named({"threads", "epoll-lt"}), {});
  ASSERT_EQ(rig.failure(0), "");
  std::vector<Slice> slices;
  std::mt19937 random(7);
  for (std::uint64_t block = 0; block < 3; ++block) rig.run_block(block, kShort, random, slices);
  std::map<std::size_t, double> cpu_ns, echoes;
  for (const Slice& slice : slices) {
    ASSERT_EQ(slice.broken, "");
    cpu_ns[slice.contender] += static_cast<double>(slice.cpu_ns);
    echoes[slice.contender] += static_cast<double>(slice.echoes);
  }
  const double ratio = cpu_ns[0] / echoes[0] / (cpu_ns[1] / echoes[1]);
  EXPECT_GT(ratio, 0.5) << "it includes all threads";
  EXPECT_LT(ratio, 20) << "and no other CPU time";
}

/// The server has more threads than the rig watches one by one.
TEST(RealRigs, ManyThreadsFallAsleepToo) {
  PlannedLoad load = load_of(60, 0);
  load.cell.threads = 20;
  load.cell.threading = "reuseport";
  std::vector<std::string> names = {"epoll-lt", "threads", "bufferevent"};
  if (find_backend("io-uring")->probe().works) names.emplace_back("io-uring");
  LocalSides sides(MUXLAB_BINARY, -1);
  Rig rig(sides, load, contenders_named(names), {});
  std::vector<Slice> slices;
  std::mt19937 random(7);
  for (std::uint64_t block = 0; block < 10; ++block) rig.run_block(block, kShort, random, slices);
  EXPECT_EQ(slices.size(), 10 * names.size());
  for (const Slice& slice : slices) EXPECT_EQ(slice.broken, "") << names[slice.contender];
}

TEST(RealRigs, AServerThatDoesNotStartIsNamedAndTheOthersGoOn) {
  LocalSides sides(MUXLAB_BINARY, -1);
  PlannedLoad load = load_of(5, 0);
  load.cell.threading = "half-sync";  // the `threads` backend does not support it
  load.cell.threads = 2;
  Rig rig(sides, load, contenders_named({"epoll-lt", "threads"}), {});
  EXPECT_EQ(rig.failure(0), "");
  EXPECT_THAT(rig.failure(1),
              AllOf(HasSubstr("the server ended with code 2"), HasSubstr("threads")));
  std::vector<Slice> slices;
  std::mt19937 random(7);
  rig.run_block(0, kShort, random, slices);
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(slices[0].broken, "");
}

/// Sides without processes, one of which may misbehave.
struct Wrong {
  std::string of;  ///< the backend that misbehaves
  enum class How { counts_more_than_it_sent, makes_many_calls, does_not_sleep, load_fails } how;
};

/// Counts servers: alive, alive at most, and started in all.
struct ServerCount {
  int alive = 0, most = 0, started = 0;
};

class FakeServer final : public ServerSide {
 public:
  FakeServer(bool is_wrong, Wrong::How how, ServerCount& count)
      : is_wrong_(is_wrong), how_(how), count_(count) {
    ++count_.started;
    count_.most = std::max(count_.most, ++count_.alive);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer() override { --count_.alive; }
  void abandon() override {}
  std::string address() override { return "nowhere"; }
  /// Returns a thousand bytes more on each call.
  MemoryUse memory() override {
    memory_.resident_bytes += 1'000;
    memory_.kernel_bytes += 1'000;
    return memory_;
  }
  void settle() override {}
  std::string how_it_ended() override {
    const bool has_ended = is_wrong_ && how_ == Wrong::How::load_fails;
    return has_ended ? "the server ended with code 139: it gave no reason" : "";
  }
  Silence begin_slice() override { return now_; }
  Silence end_slice() override {
    if (is_wrong_ && how_ == Wrong::How::does_not_sleep) {
      throw SideFailed("the server does not fall asleep");
    }
    now_.cpu_ns += 1'000;
    now_.counters.echoes += 10;
    now_.counters.bytes_in += 640;
    now_.counters.bytes_out += 640;
    now_.counters.calls[0] += 10;
    now_.counters.calls[1] += is_wrong_ && how_ == Wrong::How::makes_many_calls ? 11'490 : 10;
    now_.counters.calls[2] += 10;
    if (is_wrong_ && how_ == Wrong::How::counts_more_than_it_sent) now_.counters.bytes_out += 64;
    return now_;
  }

 private:
  bool is_wrong_;
  Wrong::How how_;
  ServerCount& count_;
  Silence now_;
  MemoryUse memory_;
};

class FakeLoad final : public LoadSide {
 public:
  explicit FakeLoad(bool fails) : fails_(fails) {}
  void abandon() override {}
  void command(const SliceCommand&) override { commanded_ = true; }
  SliceReply reply(SliceTimes&) override {
    if (!commanded_) return {};
    if (fails_) throw SideFailed("no answer for 2 s: 3 messages are missing");
    SliceReply reply;
    reply.echoes = 10;
    reply.bytes_sent = reply.bytes_received = 640;
    return reply;
  }

 private:
  bool fails_;
  bool commanded_ = false;
};

class FakeSides final : public Sides {
 public:
  explicit FakeSides(Wrong wrong) : wrong_(std::move(wrong)) {}
  std::unique_ptr<ServerSide> start_server(const ServerSpec& spec) override {
    return std::make_unique<FakeServer>(spec.cell.backend == wrong_.of, wrong_.how, count);
  }
  std::unique_ptr<LoadSide> start_load(const LoadSpec& spec, ServerSide&) override {
    return std::make_unique<FakeLoad>(spec.cell.backend == wrong_.of &&
                                      wrong_.how == Wrong::How::load_fails);
  }

  ServerCount count;

 private:
  Wrong wrong_;
};

TEST(FakeRig, WhatCannotBeIsBrokenAndNamed) {
  struct Case {
    Wrong::How how;
    const char* reason;
    std::size_t slices_of_poll;  // in three blocks; a wrong count alone does not end the visits
  };
  for (const Case& one :
       {Case{Wrong::How::counts_more_than_it_sent, "client and server disagree", 3},
        Case{Wrong::How::makes_many_calls, "1151 system calls per echo", 3},
        Case{Wrong::How::does_not_sleep, "does not fall asleep", 1},
        Case{Wrong::How::load_fails, "3 messages are missing; the server ended with code 139",
             1}}) {
    SCOPED_TRACE(one.reason);
    FakeSides sides({"poll", one.how});
    Rig rig(sides, load_of(10, 0), contenders_named({"epoll-lt", "poll"}), {});
    std::vector<Slice> slices;
    std::mt19937 random(7);
    for (std::uint64_t block = 0; block < 3; ++block) rig.run_block(block, kShort, random, slices);
    std::size_t of_poll = 0;
    for (const Slice& slice : slices) {
      of_poll += slice.contender;
      EXPECT_THAT(slice.broken, HasSubstr(slice.contender == 0 ? "" : one.reason));
      EXPECT_EQ(slice.broken.empty(), slice.contender == 0);
    }
    EXPECT_EQ(of_poll, one.slices_of_poll);
    EXPECT_EQ(slices.size(), 3 + of_poll);
  }
}

TEST(FakeRig, TheSeedDrawsTheOrder) {
  const auto order_of = [](std::uint32_t seed) {
    FakeSides sides({"", Wrong::How::load_fails});
    Rig rig(sides, load_of(10, 0),
            contenders_named({"epoll-lt", "poll", "select", "epoll-et", "libuv"}), {});
    std::vector<Slice> slices;
    std::mt19937 random(seed);
    for (std::uint64_t block = 0; block < 4; ++block) rig.run_block(block, kShort, random, slices);
    std::vector<std::size_t> order;
    for (const Slice& slice : slices) order.push_back(slice.contender);
    return order;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
  const auto order = order_of(1);
  for (std::size_t block = 0; block < 4; ++block) {
    const std::set<std::size_t> visited(order.begin() + static_cast<std::ptrdiff_t>(5 * block),
                                        order.begin() + static_cast<std::ptrdiff_t>(5 * block + 5));
    EXPECT_EQ(visited.size(), 5U) << "each block visits each once";
  }
}

/// With a single server, the growth of the kernel's memory is that server's.
TEST(FakeRig, AnIsolatedOneStartsAServerForEachVisit) {
  FakeSides sides({"none", Wrong::How::does_not_sleep});
  std::vector<Slice> slices;
  {
    Rig rig(sides, load_of(10, 0), contenders_named({"epoll-lt", "poll"}), {.is_isolated = true});
    EXPECT_EQ(sides.count.started, 0);
    std::mt19937 random(7);
    for (std::uint64_t block = 0; block < 3; ++block) rig.run_block(block, kShort, random, slices);
    EXPECT_EQ(rig.memory(1).with_connections.kernel_bytes - rig.memory(1).before.kernel_bytes,
              1'000U);
  }
  EXPECT_EQ(slices.size(), 6U);
  for (const Slice& slice : slices) EXPECT_EQ(slice.broken, "");
  EXPECT_EQ(sides.count.started, 6);
  EXPECT_EQ(sides.count.most, 1);
  Rig together(sides, load_of(10, 0), contenders_named({"epoll-lt", "poll"}), {});
  EXPECT_EQ(sides.count.most, 2);
  EXPECT_EQ(together.memory(0).with_connections.kernel_bytes, 0U) << "other servers grew it too";
}

}  // namespace
}  // namespace muxlab
