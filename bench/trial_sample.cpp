#include "bench/trial_sample.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kSyscallKinds = {"wait", "read", "write", "ctl", "accept", "other"};
constexpr std::array kSyscallMetrics = {
    Metric::syscalls_wait_per_echo,   Metric::syscalls_read_per_echo,
    Metric::syscalls_write_per_echo,  Metric::syscalls_ctl_per_echo,
    Metric::syscalls_accept_per_echo, Metric::syscalls_other_per_echo};

/// JSON has no NaN; null stands for it.
double number(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

ClientVerdict read_client_report(Metrics& metrics, const Json& report) {
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
  metrics[Metric::client_cpu_ns_per_echo] = number(report.at("client_cpu_ns_per_echo"));
  metrics[Metric::client_runqueue_wait_share] =
      number(report.value("client_runqueue_wait_share", Json()));
  if (report.value("model", "closed") == "open") {
    metrics[Metric::offered_per_s] = number(report.at("offered_per_s"));
    metrics[Metric::latency_from_send_ns_p99] = number(report.at("latency_from_send_ns").at("p99"));
    metrics[Metric::send_lag_ns_p99] = number(report.at("send_lag_ns").at("p99"));
  }
  ClientVerdict verdict;
  verdict.errors_by_kind = report.value("errors_by_kind", Json::object()).dump();
  for (const Json& doubt : report.value("not_trusted", Json::array())) {
    verdict.doubts += (verdict.doubts.empty() ? "" : "; ") + doubt.get<std::string>();
  }
  return verdict;
}

}  // namespace

ServerSample parse_server_sample(std::string_view line) {
  try {
    const Json counters = Json::parse(line);
    ServerSample sample;
    sample.monotonic_ns = counters.at("monotonic_ns").get<double>();
    sample.cpu_ns = counters.at("cpu_ns").get<double>();
    sample.bytes_out = counters.at("bytes_out").get<double>();
    for (std::size_t i = 0; i < kSyscallKinds.size(); ++i) {
      sample.syscalls[i] = counters.at("syscalls").at(kSyscallKinds[i]).get<double>();
    }
    return sample;
  } catch (const Json::exception& error) {
    throw ForeignReport(fmt::format("server counters of another schema: {}", error.what()));
  }
}

void add_server_metrics(Metrics& metrics, const ServerSample& begin, const ServerSample& end,
                        const Cell& cell, std::size_t processors) {
  const double window_ns = end.monotonic_ns - begin.monotonic_ns;
  const double cpu_ns = end.cpu_ns - begin.cpu_ns;
  // Whole messages by the server's own count of bytes: a backend may echo one in several pieces.
  const double echoes = (end.bytes_out - begin.bytes_out) / static_cast<double>(cell.size_bytes);
  metrics[Metric::server_cpu_util] = cpu_ns / window_ns / static_cast<double>(processors);
  if (begin.runqueue_wait_ns && end.runqueue_wait_ns) {
    metrics[Metric::server_runqueue_wait_share] =
        (*end.runqueue_wait_ns - *begin.runqueue_wait_ns) / window_ns /
        static_cast<double>(cell.threads);
  }
  if (echoes <= 0) return;
  metrics[Metric::server_cpu_ns_per_echo] = cpu_ns / echoes;
  double all = 0;
  for (std::size_t i = 0; i < kSyscallMetrics.size(); ++i) {
    const double per_echo = (end.syscalls[i] - begin.syscalls[i]) / echoes;
    metrics[kSyscallMetrics[i]] = per_echo;
    all += per_echo;
  }
  metrics[Metric::syscalls_per_echo] = all;
}

ClientVerdict add_client_metrics(Metrics& metrics, std::string_view report,
                                 std::size_t processors) {
  try {
    ClientVerdict verdict = read_client_report(metrics, Json::parse(report));
    metrics[Metric::client_cpu_util] = metrics[Metric::client_cpu_ns_per_echo] *
                                       metrics[Metric::echoes_per_s] / 1e9 /
                                       static_cast<double>(processors);
    return verdict;
  } catch (const Json::exception& error) {
    throw ForeignReport(fmt::format("client report of another schema: {}", error.what()));
  }
}

}  // namespace muxlab
