#include <gtest/gtest.h>

#include "bench/rig/sides.hpp"

namespace muxlab {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

/// A server that was pre-empted after it sent its last message, before it counted it. After some
/// steps it gets its processor back, counts the message, and sleeps.
struct PreemptedServer {
  int steps_left;
  bool sleeps = false;
  std::uint64_t bytes_out = 640;

  void step() {
    if (steps_left-- != 0) return;
    bytes_out += 64;
    sleeps = true;
  }
  bool is_asleep() {
    step();
    return sleeps;
  }
  Silence read() {
    step();
    Silence silence;
    silence.counters.bytes_out = bytes_out;
    return silence;
  }
};

TEST(Silence, WhateverTheMomentNothingIsMissing) {
  for (int moment = 0; moment < 12; ++moment) {
    PreemptedServer server{moment};
    const auto silence =
        await_silence([&] { return server.is_asleep(); }, [&] { return server.read(); },
                      [&] { server.step(); }, steady_clock::now() + seconds(60));
    ASSERT_TRUE(silence);
    EXPECT_EQ(silence->counters.bytes_out, 704U) << "counted at step " << moment;
  }
}

TEST(Silence, AServerThatMovesIsWaitedFor) {
  std::uint64_t cpu_ns = 0;
  const auto silence = await_silence([] { return true; },
                                     [&] {
                                       Silence moving;
                                       moving.cpu_ns = cpu_ns < 5 ? ++cpu_ns : cpu_ns;
                                       return moving;
                                     },
                                     [] {}, steady_clock::now() + seconds(60));
  ASSERT_TRUE(silence);
  EXPECT_EQ(silence->cpu_ns, 5U);
}

TEST(Silence, AServerThatNeverSleepsIsGivenUp) {
  const auto silence =
      await_silence([] { return false; }, [] { return Silence(); }, [] {}, steady_clock::now());
  EXPECT_FALSE(silence);
}

}  // namespace
}  // namespace muxlab
