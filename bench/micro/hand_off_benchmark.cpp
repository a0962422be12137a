#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include <array>
#include <cstdint>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "server/hand_off_queue.hpp"

namespace {

using muxlab::checked;
using muxlab::UniqueFd;

void take_notification(int fd) {
  std::array<char, 64> bytes;
  benchmark::DoNotOptimize(::read(fd, bytes.data(), bytes.size()));
}

/// One wake-up: the write(2) of who hands over, and the read(2) of who is woken.
void notify_by_eventfd(benchmark::State& state) {
  const UniqueFd fd(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
  for (auto _ : state) {
    muxlab::notify(fd.get());
    take_notification(fd.get());
  }
}
BENCHMARK(notify_by_eventfd);

void notify_by_pipe(benchmark::State& state) {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), "pipe2");
  const UniqueFd receiver(ends[0]);
  const UniqueFd sender(ends[1]);
  for (auto _ : state) {
    muxlab::notify(sender.get());
    take_notification(receiver.get());
  }
}
BENCHMARK(notify_by_pipe);

/// A burst of connections through the queue of the server, which notifies only when it was empty.
/// Per connection: the longer the burst, the less of a system call.
void hand_off(benchmark::State& state, muxlab::Notify notify) {
  const auto burst = static_cast<std::size_t>(state.range(0));
  muxlab::Admission admission(burst, INT32_MAX, muxlab::WhenFull::wait);
  muxlab::HandOffQueue queue(notify, admission);
  std::vector<UniqueFd> connections;
  for (std::size_t i = 0; i < burst; ++i) {
    connections.emplace_back(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
  }
  while (state.KeepRunningBatch(state.range(0))) {
    for (UniqueFd& connection : connections) queue.push(std::move(connection));
    for (UniqueFd& connection : connections) connection = std::move(*queue.take());
    benchmark::DoNotOptimize(queue.take());  // who was woken goes on until there is nothing
  }
}
BENCHMARK_CAPTURE(hand_off, eventfd, muxlab::Notify::eventfd)
    ->ArgName("burst")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64);
BENCHMARK_CAPTURE(hand_off, pipe, muxlab::Notify::pipe)->ArgName("burst")->Arg(1)->Arg(8)->Arg(64);

}  // namespace
