#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/trace/log.hpp"

namespace muxlab::trace {
namespace {

TEST(TraceSleep, IsSeenFromOutside) {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const ThreadList threads;
  std::atomic<pid_t> id = 0;
  const SleepWatch* watch = nullptr;  // set before `id`
  std::atomic<bool> woken = false;
  std::atomic<bool> over = false;
  std::thread sleeper([&] {
    const SleepWatch own;
    watch = &own;
    id = ::gettid();
    char byte = 0;
    static_cast<void>(::read(reader.get(), &byte, 1));
    woken = true;
    while (!over) {
    }
  });
  while (id == 0) std::this_thread::yield();
  EXPECT_EQ(std::ranges::count(threads.ids(), id.load()), 1);
  EXPECT_FALSE(is_kernel_thread(id));
  while (!watch->is_asleep()) std::this_thread::yield();
  EXPECT_FALSE(woken);
  checked(static_cast<int>(::write(writer.get(), "?", 1)), "write");
  while (!woken) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch->is_asleep()) << "it is runnable";
  over = true;
  sleeper.join();
  EXPECT_EQ(std::ranges::count(threads.ids(), id.load()), 0);
}

}  // namespace
}  // namespace muxlab::trace
