#include "server/hand_off_queue.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <thread>

namespace muxlab {
namespace {

class HandOffQueueTest : public testing::TestWithParam<Notify> {
 protected:
  static UniqueFd make_socket() { return UniqueFd(::eventfd(0, EFD_CLOEXEC)); }
  [[nodiscard]] bool readable(int timeout_ms = 0) const {
    pollfd waited{.fd = queue.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, timeout_ms) == 1;
  }

  Admission admission{1000, 1000, WhenFull::wait};
  HandOffQueue queue{GetParam(), admission};
};

TEST_P(HandOffQueueTest, IsReadableAsLongAsItHoldsSomething) {
  EXPECT_FALSE(readable());
  EXPECT_FALSE(queue.take());
  queue.push(make_socket());
  queue.push(make_socket());
  EXPECT_TRUE(readable());
  EXPECT_TRUE(queue.take());
  EXPECT_TRUE(readable()) << "one is left";
  EXPECT_TRUE(queue.take());
  EXPECT_FALSE(queue.take());
  EXPECT_FALSE(readable());
  queue.push(make_socket());
  EXPECT_TRUE(readable()) << "wakes again after it was empty";
}

TEST_P(HandOffQueueTest, KeepsTheOrder) {
  const int first = make_socket().release();
  const int second = make_socket().release();
  queue.push(UniqueFd(first));
  queue.push(UniqueFd(second));
  EXPECT_EQ(queue.take()->get(), first);
  EXPECT_EQ(queue.take()->get(), second);
}

TEST_P(HandOffQueueTest, LosesNothingBetweenTwoThreads) {
  constexpr int kCount = 20'000;
  std::thread sender([&] {
    for (int i = 0; i < kCount; ++i) queue.push(UniqueFd());
  });
  int taken = 0;
  while (taken < kCount && readable(10'000)) {
    while (queue.take()) ++taken;
  }
  sender.join();
  EXPECT_EQ(taken, kCount);
}

INSTANTIATE_TEST_SUITE_P(Every, HandOffQueueTest, testing::Values(Notify::eventfd, Notify::pipe),
                         [](const auto& notify) {
                           return notify.param == Notify::pipe ? "pipe" : "eventfd";
                         });

}  // namespace
}  // namespace muxlab
