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
  client_runqueue_wait_share,
  steal_share,
  foreign_cpu_share,
  foreign_cpu_error,
  canary_ns,
  listen_drops,
  throttled_periods,
  offered_per_s,
  latency_from_send_ns_p99,
  send_lag_ns_p99,
  cpu_wait_ns_per_echo,
  cpu_read_ns_per_echo,
  cpu_write_ns_per_echo,
  cpu_ctl_ns_per_echo,
  cpu_clock_ns_per_echo,
  cpu_rest_ns_per_echo,
  events_per_wait,
  syscalls_predicted_per_echo,
  connections_per_s,
  first_echo_ns_p50,
  first_echo_ns_p99,
  fairness,
  server_resident_bytes,
  kernel_slab_bytes,
  latency_ns_p25,
  latency_ns_p75,
  latency_ns_p95,
  latency_ns_p99_99,
  server_bytes_per_idle_connection,
  kernel_bytes_per_idle_connection,
};

/// The column of each metric, with its unit; published, so never changed, only added to.
///
/// `*_util` is the share of the processors given to that side that it kept busy.
/// `*_runqueue_wait_share` is for how much of the window a thread of that side was ready to run but
/// had no processor: the best sign that something else disturbed the trial. `steal_share` and
/// `foreign_cpu_share` are what the host and other programs took of the processors of both sides,
/// the latter give or take `foreign_cpu_error`. `canary_ns` is how long two small system calls took
/// on the server's processor before or after the trial, whichever was longer. `listen_drops` and
/// `throttled_periods` are of the whole trial. Those from `offered_per_s` to
/// `send_lag_ns_p99` are of an open loop.
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
///
/// `connections_per_s` and `first_echo_ns_*`, from connect(2) on, are of connections that come and
/// go. `fairness` is Jain's index of the echoes of each connection: 1 when all had as many, 1/n
/// when one of n had all. `server_resident_bytes` is the server's memory at the end of the window,
/// and `kernel_slab_bytes` by how much the kernel's own, of both sides, had grown since before the
/// trial. `*_bytes_per_idle_connection` are what these two have more than they have without idle
/// connections, for each of those.
inline constexpr std::array<std::string_view, 51> kMetricNames = {
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
    "client_runqueue_wait_share",
    "steal_share",
    "foreign_cpu_share",
    "foreign_cpu_error",
    "canary_ns",
    "listen_drops",
    "throttled_periods",
    "offered_per_s",
    "latency_from_send_ns_p99",
    "send_lag_ns_p99",
    "cpu_wait_ns_per_echo",
    "cpu_read_ns_per_echo",
    "cpu_write_ns_per_echo",
    "cpu_ctl_ns_per_echo",
    "cpu_clock_ns_per_echo",
    "cpu_rest_ns_per_echo",
    "events_per_wait",
    "syscalls_predicted_per_echo",
    "connections_per_s",
    "first_echo_ns_p50",
    "first_echo_ns_p99",
    "fairness",
    "server_resident_bytes",
    "kernel_slab_bytes",
    "latency_ns_p25",
    "latency_ns_p75",
    "latency_ns_p95",
    "latency_ns_p99_99",
    "server_bytes_per_idle_connection",
    "kernel_bytes_per_idle_connection",
};
/// Those of a trial alone. The others come from several, and are in summary.csv only.
inline constexpr std::size_t kTrialMetrics = 49;
/// Those that every trials.csv has; files written before the others were added lack some of these.
inline constexpr std::size_t kFirstMetrics = 21;

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
