#include "backends/counting/shared_counters.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

TEST(SharedCounters, AnotherProcessReadsThem) {
  const UniqueFd file = make_counter_file();
  const CounterReader reader(file.get());
  EXPECT_EQ(reader.read(), CounterSums());
  const pid_t child = ::fork();
  if (child == 0) {
    CounterPool pool(file.get());
    WorkerStats& first = pool.take();
    WorkerStats& second = pool.take();
    first.echoes.add(3);
    first.bytes_in.add(30);
    ++second[Call::read];
    second.bytes_out.add(20);
    WorkerStats& part = second.add_part();
    part.echoes.add(4);
    part.events.add(5);
    ++part[Call::wait];
    ::_exit(&second == &first + 1 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "counters that are taken in a row are neighbours";
  const CounterSums sums = reader.read();
  EXPECT_EQ(sums.echoes, 7U);
  EXPECT_EQ(sums.bytes_in, 30U);
  EXPECT_EQ(sums.bytes_out, 20U);
  EXPECT_EQ(sums.events, 5U);
  EXPECT_EQ(sums.calls[static_cast<std::size_t>(Call::read)], 1U);
  EXPECT_EQ(sums.calls[static_cast<std::size_t>(Call::wait)], 1U);
}

TEST(SharedCounters, PartsAreInTheTotal) {
  CounterPool pool(-1);
  WorkerStats& stats = pool.take();
  stats.add_part().echoes.add(2);
  stats.add_part().echoes.add(3);
  EXPECT_EQ(total(stats, &WorkerStats::echoes), 5U);
}

TEST(SharedCounters, OtherFilesAreRefused) {
  const UniqueFd other(::memfd_create("other", MFD_CLOEXEC));
  EXPECT_THROW(CounterPool{other.get()}, Failure);
}

TEST(SharedCounters, EndWithoutMemory) {
  CounterPool pool(-1);
  EXPECT_THROW(
      {
        for (;;) pool.take();
      },
      std::bad_alloc);
  EXPECT_THROW(pool.take(), std::bad_alloc);
}

}  // namespace
}  // namespace muxlab
