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

constexpr std::array kTimedKinds = {"wait", "read", "write", "ctl", "clock"};
constexpr std::array kTimedMetrics = {Metric::cpu_wait_ns_per_echo, Metric::cpu_read_ns_per_echo,
                                      Metric::cpu_write_ns_per_echo, Metric::cpu_ctl_ns_per_echo,
                                      Metric::cpu_clock_ns_per_echo};

/// JSON has no NaN; null stands for it.
double number(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

/// What servers tell only since they do, or only when asked to.
void read_what_may_be_missing(ServerSample& sample, const Json& counters) {
  sample.echoes = counters.value("echoes", 0.0);
  sample.events = counters.value("events", 0.0);
  sample.spins = counters.value("spins", false);
  if (const auto timed = counters.find("call_ns"); timed != counters.end()) {
    sample.call_ns.emplace();
    for (std::size_t i = 0; i < kTimedKinds.size(); ++i) {
      (*sample.call_ns)[i] = timed->at(kTimedKinds[i]).get<double>();
    }
  }
  const auto calls = counters.find("calls_per_echo");
  if (calls == counters.end() || calls->is_null()) return;
  ExpectedCalls& expected = sample.expected.emplace();
  expected.events = calls->at("events").get<double>();
  for (const char* const kind : {"read", "write", "ctl", "other"}) {
    expected.without_waits += calls->at(kind).get<double>();
  }
}

/// Into what the processor time went, of the messages that `echoes` counts.
void add_decomposition(Metrics& metrics, const ServerSample& begin, const ServerSample& end,
                       double echoes) {
  if (!begin.call_ns || !end.call_ns) return;
  double rest = metrics[Metric::server_cpu_ns_per_echo];
  for (std::size_t i = 0; i < kTimedMetrics.size(); ++i) {
    const double per_echo = ((*end.call_ns)[i] - (*begin.call_ns)[i]) / echoes;
    metrics[kTimedMetrics[i]] = per_echo;
    rest -= per_echo;
  }
  metrics[Metric::cpu_rest_ns_per_echo] = rest;
}

/// A message that takes several receives, or several messages that come with one, take as many
/// calls as that.
void add_prediction(Metrics& metrics, const ServerSample& begin, const ServerSample& end,
                    double echoes) {
  const double waits = end.syscalls[0] - begin.syscalls[0];
  const double events_per_wait = (end.events - begin.events) / waits;  // NaN: it never waits
  metrics[Metric::events_per_wait] = events_per_wait;
  if (!end.expected) return;
  const double waits_each = end.expected->events > 0 ? end.expected->events / events_per_wait : 0;
  metrics[Metric::syscalls_predicted_per_echo] =
      (end.expected->without_waits + waits_each) * (end.echoes - begin.echoes) / echoes;
}

ClientVerdict read_client_report(Metrics& metrics, const Json& report) {
  metrics[Metric::echoes_per_s] = number(report.at("echoes_per_s"));
  const Json& latency = report.at("latency_ns");
  metrics[Metric::latency_ns_p50] = number(latency.at("p50"));
  metrics[Metric::latency_ns_p90] = number(latency.at("p90"));
  metrics[Metric::latency_ns_p99] = number(latency.at("p99"));
  metrics[Metric::latency_ns_p99_9] = number(latency.at("p99_9"));
  metrics[Metric::latency_ns_max] = number(latency.at("max"));
  metrics[Metric::latency_ns_p25] = number(latency.value("p25", Json()));
  metrics[Metric::latency_ns_p75] = number(latency.value("p75", Json()));
  metrics[Metric::latency_ns_p95] = number(latency.value("p95", Json()));
  metrics[Metric::latency_ns_p99_99] = number(latency.value("p99_99", Json()));
  metrics[Metric::errors] = number(report.at("errors"));
  metrics[Metric::duration_s] = number(report.at("duration_s"));
  metrics[Metric::connect_s] = number(report.at("connect_s"));
  metrics[Metric::client_cpu_ns_per_echo] = number(report.at("client_cpu_ns_per_echo"));
  metrics[Metric::client_runqueue_wait_share] =
      number(report.value("client_runqueue_wait_share", Json()));
  metrics[Metric::fairness] = number(report.value("fairness", Json()));
  if (report.contains("churn")) {
    metrics[Metric::connections_per_s] = number(report.at("connections_per_s"));
    metrics[Metric::first_echo_ns_p50] = number(report.at("first_echo_ns").at("p50"));
    metrics[Metric::first_echo_ns_p99] = number(report.at("first_echo_ns").at("p99"));
  }
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
    read_what_may_be_missing(sample, counters);
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
  if (!end.spins) metrics[Metric::server_cpu_ns_per_echo] = cpu_ns / echoes;
  double all = 0;
  for (std::size_t i = 0; i < kSyscallMetrics.size(); ++i) {
    const double per_echo = (end.syscalls[i] - begin.syscalls[i]) / echoes;
    metrics[kSyscallMetrics[i]] = per_echo;
    all += per_echo;
  }
  metrics[Metric::syscalls_per_echo] = all;
  add_decomposition(metrics, begin, end, echoes);
  add_prediction(metrics, begin, end, echoes);
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
