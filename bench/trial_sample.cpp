#include "bench/trial_sample.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxThreadsToAsk = 64;

double number(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

}  // namespace

std::optional<double> runqueue_wait_ns(pid_t pid) {
  double sum = 0;
  std::size_t threads = 0;
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    double ran = 0, waited = 0;
    std::ifstream schedstat(thread.path() / "schedstat");
    if (++threads > kMaxThreadsToAsk || !(schedstat >> ran >> waited)) return std::nullopt;
    sum += waited;
  }
  return threads > 0 ? std::optional(sum) : std::nullopt;
}

void add_server_metrics(Metrics& metrics, const ServerSample& begin, const ServerSample& end,
                        const Cell& cell, std::uint64_t size_bytes, std::size_t processors) {
  const auto grown = [&](const char* key) {
    return end.counters.at(key).get<double>() - begin.counters.at(key).get<double>();
  };
  const double window_ns = grown("monotonic_ns");
  // Whole messages by the server's own count of bytes: a backend may echo one in several pieces.
  const double echoes = grown("bytes_out") / static_cast<double>(size_bytes);
  metrics[Metric::server_cpu_util] = grown("cpu_ns") / window_ns / static_cast<double>(processors);
  if (begin.runqueue_wait_ns && end.runqueue_wait_ns) {
    metrics[Metric::server_runqueue_wait_share] =
        (*end.runqueue_wait_ns - *begin.runqueue_wait_ns) / window_ns /
        static_cast<double>(cell.threads);
  }
  if (echoes <= 0) return;
  metrics[Metric::server_cpu_ns_per_echo] = grown("cpu_ns") / echoes;
  const auto calls_per_echo = [&](const char* kind) {
    return (end.counters.at("syscalls").at(kind).get<double>() -
            begin.counters.at("syscalls").at(kind).get<double>()) /
           echoes;
  };
  double all = 0;
  all += metrics[Metric::syscalls_wait_per_echo] = calls_per_echo("wait");
  all += metrics[Metric::syscalls_read_per_echo] = calls_per_echo("read");
  all += metrics[Metric::syscalls_write_per_echo] = calls_per_echo("write");
  all += metrics[Metric::syscalls_ctl_per_echo] = calls_per_echo("ctl");
  all += metrics[Metric::syscalls_accept_per_echo] = calls_per_echo("accept");
  all += metrics[Metric::syscalls_other_per_echo] = calls_per_echo("other");
  metrics[Metric::syscalls_per_echo] = all;
}

void add_client_metrics(Metrics& metrics, const Json& report, std::size_t processors) {
  metrics[Metric::echoes_per_s] = number(report.at("echoes_per_s"));
  const Json& latency = report.at("latency_ns");
  metrics[Metric::latency_ns_p50] = number(latency.at("p50"));
  metrics[Metric::latency_ns_p90] = number(latency.at("p90"));
  metrics[Metric::latency_ns_p99] = number(latency.at("p99"));
  metrics[Metric::latency_ns_p99_9] = number(latency.at("p99_9"));
  metrics[Metric::latency_ns_max] = number(latency.at("max"));
  metrics[Metric::errors] = number(report.at("errors"));
  metrics[Metric::duration_s] = number(report.at("duration_s"));
  metrics[Metric::connect_s] = number(report.at("connect_s"));
  const double cpu_ns_per_echo = number(report.at("client_cpu_ns_per_echo"));
  metrics[Metric::client_cpu_ns_per_echo] = cpu_ns_per_echo;
  metrics[Metric::client_cpu_util] =
      cpu_ns_per_echo * metrics[Metric::echoes_per_s] / 1e9 / static_cast<double>(processors);
}

}  // namespace muxlab
