#include "server/stats_json.hpp"

#include <ctime>
#include <string>

#include "backends/controls/oracle_board.hpp"
#include "server/kernel_threads.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

Json counters(std::span<const WorkerStats> threads) {
  const auto sum = [&](Counter WorkerStats::*counter) {
    std::uint64_t all = 0;
    for (const WorkerStats& thread : threads) all += total(thread, counter);
    return all;
  };
  Json calls, call_ns;
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    std::uint64_t made = 0, took_ns = 0;
    for (const WorkerStats& thread : threads) {
      made += total(thread, static_cast<Call>(i));
      took_ns += total_ns(thread, static_cast<Call>(i));
    }
    calls[std::string(kCallNames[i])] = made;
    call_ns[std::string(kCallNames[i])] = took_ns;
  }
  call_ns["clock"] = sum(&WorkerStats::clock_ns);
  Json all = {
      {"accepted", sum(&WorkerStats::accepted)}, {"closed", sum(&WorkerStats::closed)},
      {"refused", sum(&WorkerStats::refused)},   {"echoes", sum(&WorkerStats::echoes)},
      {"bytes_in", sum(&WorkerStats::bytes_in)}, {"bytes_out", sum(&WorkerStats::bytes_out)},
      {"events", sum(&WorkerStats::events)},     {"syscalls", calls}};
  if (threads.front().is_timed()) all["call_ns"] = call_ns;
  return all;
}

Json kernel_threads() {
  const auto cpu_ns = kernel_threads_cpu_ns();
  if (!cpu_ns) return {};
  Json all;
  for (std::size_t i = 0; i < kKernelThreadNames.size(); ++i) {
    all[std::string(kKernelThreadNames[i])] = (*cpu_ns)[i];
  }
  return all;
}

}  // namespace

nlohmann::ordered_json stats_json(std::span<const WorkerStats> threads) {
  Json all = {{"schema_version", 1},
              {"monotonic_ns", clock_ns(CLOCK_MONOTONIC)},
              {"cpu_ns", clock_ns(CLOCK_PROCESS_CPUTIME_ID)},
              {"kernel_threads_cpu_ns", kernel_threads()}};
  all.update(counters(threads));
  for (std::size_t i = 0; i < threads.size(); ++i) {
    all["threads"].push_back(counters(threads.subspan(i, 1)));
  }
  return all;
}

nlohmann::ordered_json reading_json(const Backend& backend, const ServeOptions& options) {
  Json expected;
  if (const auto calls = calls_per_echo(backend, options)) {
    expected = {{"events", calls->events},
                {"read", calls->read},
                {"write", calls->write},
                {"ctl", calls->ctl},
                {"other", calls->other}};
  }
  return {{"calls_per_echo", expected}, {"spins", backend.spins}};
}

}  // namespace muxlab
