#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muxlab {

/// A quantity that is compared. Each is a cost, so a lower value is better.
enum class Metric : std::uint8_t {
  cpu,          ///< of the server process, per echo
  echo_time,    ///< how long the load took, per echo: the inverse of throughput
  latency_p50,  ///< of an open loop, from when a message was due
  latency_p99,
  connection_time,  ///< how long the load took, per connection that came and went
  first_echo_p50,   ///< of a new connection, from connect(2)
  first_echo_p99,
};

/// As files and JSON have them; published, so never changed, only added to.
inline constexpr std::array<std::string_view, 7> kMetricNames = {
    "server_cpu_ns_per_echo", "time_ns_per_echo",  "latency_ns_p50",   "latency_ns_p99",
    "time_ns_per_connection", "first_echo_ns_p50", "first_echo_ns_p99"};
inline constexpr std::array kMetrics = {
    Metric::cpu,           Metric::echo_time,       Metric::latency_p50,
    Metric::latency_p99,   Metric::connection_time, Metric::first_echo_p50,
    Metric::first_echo_p99};

constexpr std::size_t index_of(Metric metric) { return static_cast<std::size_t>(metric); }
constexpr std::string_view name_of(Metric metric) { return kMetricNames[index_of(metric)]; }

/// What a Slice or a RigRecord says of `metric`, in nanoseconds; 0 where nothing of that was
/// measured.
template <typename Measured>
double ns_of(const Measured& measured, Metric metric) {
  const auto each = [](auto all, std::uint64_t count) {
    return count > 0 ? static_cast<double>(all) / static_cast<double>(count) : 0;
  };
  switch (metric) {
    case Metric::cpu:
      return each(measured.cpu_ns, measured.echoes);
    case Metric::echo_time:
      return each(measured.elapsed_ns, measured.echoes);
    case Metric::connection_time:
      return each(measured.elapsed_ns, measured.opened);
    case Metric::latency_p50:
      return static_cast<double>(measured.p50());
    case Metric::latency_p99:
      return static_cast<double>(measured.p99());
    case Metric::first_echo_p50:
      return static_cast<double>(measured.first_echo_ns_p50);
    default:
      return static_cast<double>(measured.first_echo_ns_p99);
  }
}

/// One value per metric.
template <typename Value>
class ByMetric {
 public:
  Value& operator[](Metric metric) { return values_[index_of(metric)]; }
  const Value& operator[](Metric metric) const { return values_[index_of(metric)]; }

 private:
  std::array<Value, kMetrics.size()> values_{};
};

}  // namespace muxlab
