// The starter fails with: the server stalls for one of ten seconds: the 99th percentile is
#include <algorithm>
#include <string>

#include "tutorial/exercises/20-stalled-load/load.hpp"
#include "tutorial/exercises/checking.hpp"

namespace muxlab::exercise {
namespace {

using namespace std::chrono_literals;

constexpr int kCount = 1000;
constexpr Time kInterval = 10ms;
constexpr Time kService = 1ms;
constexpr Time kStallBegin = 3s;
constexpr Time kStallEnd = 4s;

/// The time at which a request is answered that is sent then.
Time answered(Time sent) {
  const Time begun = sent >= kStallBegin && sent < kStallEnd ? kStallEnd : sent;
  return begun + kService;
}

/// A server that answers in a millisecond, but for one second in which it does nothing; on a clock
/// that only moves when somebody waits.
class Simulated final : public Connection {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  void sleep_until(Time then) override { now_ = std::max(now_, then); }
  void exchange() override { now_ = answered(now_); }

 private:
  Time now_{0};
};

/// What users wait who come every interval, whatever happens, and are served one after another.
std::vector<Time> latencies_of_users() {
  std::vector<Time> latencies;
  Time free_at{0};
  for (int i = 0; i < kCount; ++i) {
    const Time due = i * kInterval;
    free_at = answered(std::max(due, free_at));
    latencies.push_back(free_at - due);
  }
  return latencies;
}

std::string percentile_99(std::vector<Time> latencies) {
  std::ranges::sort(latencies);
  const auto rank = latencies.size() * 99 / 100;
  return std::to_string(latencies[rank] / 1ms) + " ms";
}

}  // namespace

void check() {
  Simulated connection;
  const std::vector<Time> wanted = latencies_of_users();
  const std::vector<Time> found = measure(connection, kCount, kInterval);
  expect(found.size() == wanted.size(), "1000 latencies", std::to_string(found.size()));
  expect(
      percentile_99(found) == percentile_99(wanted),
      "the server stalls for one of ten seconds: the 99th percentile is " + percentile_99(wanted),
      "it is " + percentile_99(found));
  expect(found == wanted, "every latency is that of a request which is due every 10 ms",
         "some are not, though the 99th percentile is right");
}

}  // namespace muxlab::exercise
