#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <string_view>

namespace muxlab {

/// What is measured in a trial. The order is the order of the columns in trials.csv.
enum class Metric : std::size_t {
  echoes_per_s,
  latency_ns_p50,
  latency_ns_p90,
  latency_ns_p99,
  latency_ns_p99_9,
  latency_ns_max,
  server_cpu_ns_per_echo,
  client_cpu_ns_per_echo,
  syscalls_per_echo,
  syscalls_wait_per_echo,
  syscalls_read_per_echo,
  syscalls_write_per_echo,
  syscalls_ctl_per_echo,
  syscalls_accept_per_echo,
  syscalls_other_per_echo,
  errors,
  duration_s,
  server_cpu_util,
  client_cpu_util,
  server_runqueue_wait_share,
  connect_s,
};

/// The column of each metric, with its unit; published, so never changed, only added to.
///
/// `*_util` is the share of the processors given to that side that it kept busy.
/// `server_runqueue_wait_share` is for how much of the window a server thread was ready to run but
/// had no processor: the best sign that something else disturbed the trial.
inline constexpr std::array<std::string_view, 21> kMetricNames = {
    "echoes_per_s",
    "latency_ns_p50",
    "latency_ns_p90",
    "latency_ns_p99",
    "latency_ns_p99_9",
    "latency_ns_max",
    "server_cpu_ns_per_echo",
    "client_cpu_ns_per_echo",
    "syscalls_per_echo",
    "syscalls_wait_per_echo",
    "syscalls_read_per_echo",
    "syscalls_write_per_echo",
    "syscalls_ctl_per_echo",
    "syscalls_accept_per_echo",
    "syscalls_other_per_echo",
    "errors",
    "duration_s",
    "server_cpu_util",
    "client_cpu_util",
    "server_runqueue_wait_share",
    "connect_s",
};

/// One value per metric; NaN stands for "not measured".
class Metrics {
 public:
  Metrics() { values_.fill(std::numeric_limits<double>::quiet_NaN()); }
  double& operator[](Metric metric) { return values_[static_cast<std::size_t>(metric)]; }
  double operator[](Metric metric) const { return values_[static_cast<std::size_t>(metric)]; }

 private:
  std::array<double, kMetricNames.size()> values_;
};

}  // namespace muxlab
