#include "server/trace_sleep.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "backends/failure.hpp"
#include "backends/unique_fd.hpp"

namespace muxlab::trace {
namespace {

TEST(TraceSleep, IsSeenFromOutside) {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  std::atomic<pid_t> id = 0;
  std::atomic<bool> woken = false;
  std::atomic<bool> over = false;
  std::thread sleeper([&] {
    id = ::gettid();
    char byte = 0;
    static_cast<void>(::read(reader.get(), &byte, 1));
    woken = true;
    while (!over) {
    }
  });
  while (id == 0) std::this_thread::yield();
  EXPECT_EQ(std::ranges::count(threads_of_process(), id.load()), 1);
  EXPECT_FALSE(is_kernel_thread(id));
  while (!is_asleep(id)) std::this_thread::yield();
  EXPECT_FALSE(woken);
  checked(static_cast<int>(::write(writer.get(), "?", 1)), "write");
  while (!woken) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(is_asleep(id)) << "it can run, if it does or not";
  over = true;
  sleeper.join();
  EXPECT_FALSE(is_asleep(id)) << "there is none any more";
}

}  // namespace
}  // namespace muxlab::trace
