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
  cpu_wait_ns_per_echo,
  cpu_read_ns_per_echo,
  cpu_write_ns_per_echo,
  cpu_ctl_ns_per_echo,
  cpu_clock_ns_per_echo,
  cpu_rest_ns_per_echo,
  events_per_wait,
  syscalls_predicted_per_echo,
};

/// The column of each metric, with its unit; published, so never changed, only added to.
///
/// `*_util` is the share of the processors given to that side that it kept busy.
/// `server_runqueue_wait_share` is for how much of the window a server thread was ready to run but
/// had no processor: the best sign that something else disturbed the trial.
///
/// Where the server times its calls, server_cpu_ns_per_echo is the sum of `cpu_*_ns_per_echo`: the
/// time in calls that wait, read, write and change what is waited for, what reading the clocks took
/// for that, and `rest`: all else, in user mode, in other calls, and between two of them. For
/// io_uring the calls that wait also do the work. What preemption does to them, and how much to
/// believe them then, backends/call_clock.hpp says. A server that spins has no
/// server_cpu_ns_per_echo and no rest: reading and writing is what it costs.
///
/// `syscalls_predicted_per_echo` is what theory says for so many `events_per_wait`, beside
/// syscalls_per_echo, which is counted.
inline constexpr std::array<std::string_view, 29> kMetricNames = {
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
    "cpu_wait_ns_per_echo",
    "cpu_read_ns_per_echo",
    "cpu_write_ns_per_echo",
    "cpu_ctl_ns_per_echo",
    "cpu_clock_ns_per_echo",
    "cpu_rest_ns_per_echo",
    "events_per_wait",
    "syscalls_predicted_per_echo",
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
