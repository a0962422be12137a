#include "bench/trial_sample.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "bench/runqueue.hpp"

namespace muxlab {
namespace {

ServerSample sample(double monotonic_ns, double cpu_ns, double bytes_out, double calls,
                    std::optional<double> wait_ns) {
  ServerSample sample;
  sample.monotonic_ns = monotonic_ns;
  sample.cpu_ns = cpu_ns;
  sample.bytes_out = bytes_out;
  sample.syscalls = {calls, 4 * calls, 4 * calls, 0, 7, 0};
  sample.runqueue_wait_ns = wait_ns;
  return sample;
}

TEST(TrialSample, CountsOnlyTheWindow) {
  Metrics metrics;
  add_server_metrics(metrics, sample(1e9, 5e8, 640, 100, 1e6), sample(3e9, 25e8, 64640, 350, 11e7),
                     {"poll", "reuseport", 2, 10, 0}, 2);
  // 64,000 bytes of 64 are 1,000 echoes, in 2 s with 2 s of CPU on two processors.
  EXPECT_DOUBLE_EQ(metrics[Metric::server_cpu_ns_per_echo], 2e6);
  EXPECT_DOUBLE_EQ(metrics[Metric::server_cpu_util], 0.5);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_wait_per_echo], 0.25);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_read_per_echo], 1);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_accept_per_echo], 0);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_per_echo], 2.25);
  EXPECT_DOUBLE_EQ(metrics[Metric::server_runqueue_wait_share], 109e6 / 2e9 / 2);
}

TEST(TrialSample, SaysWhatTheProcessorTimeWentInto) {
  const Cell cell{"poll", "single", 1, 10, 0};
  ServerSample begin = sample(0, 0, 0, 0, {}), end = sample(1e9, 9e6, 64000, 0, {});
  begin.call_ns = {10, 20, 30, 40, 50};
  end.call_ns = {1e6 + 10, 2e6 + 20, 3e6 + 30, 40, 5e5 + 50};
  Metrics metrics;
  add_server_metrics(metrics, begin, end, cell, 1);
  EXPECT_DOUBLE_EQ(metrics[Metric::cpu_wait_ns_per_echo], 1000);
  EXPECT_DOUBLE_EQ(metrics[Metric::cpu_read_ns_per_echo], 2000);
  EXPECT_DOUBLE_EQ(metrics[Metric::cpu_write_ns_per_echo], 3000);
  EXPECT_DOUBLE_EQ(metrics[Metric::cpu_ctl_ns_per_echo], 0);
  EXPECT_DOUBLE_EQ(metrics[Metric::cpu_clock_ns_per_echo], 500);
  EXPECT_DOUBLE_EQ(metrics[Metric::cpu_rest_ns_per_echo], 2500) << "of 9000";
  end.spins = true;
  Metrics floor;
  add_server_metrics(floor, begin, end, cell, 1);
  EXPECT_DOUBLE_EQ(floor[Metric::cpu_read_ns_per_echo], 2000);
  EXPECT_TRUE(std::isnan(floor[Metric::server_cpu_ns_per_echo])) << "it does nothing but spin";
  EXPECT_TRUE(std::isnan(floor[Metric::cpu_rest_ns_per_echo]));
}

TEST(TrialSample, PredictsCallsFromTheEventsOfAWait) {
  const Cell cell{"poll", "single", 1, 10, 0};
  ServerSample begin = sample(0, 0, 0, 50, {}), end = sample(1e9, 9e6, 64000, 250, {});
  begin.events = 7;
  end.events = 1007;  // of 200 waits
  end.echoes = 1000;
  end.expected = ExpectedCalls{.events = 2, .without_waits = 2};
  Metrics metrics;
  add_server_metrics(metrics, begin, end, cell, 1);
  EXPECT_DOUBLE_EQ(metrics[Metric::events_per_wait], 5);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_predicted_per_echo], 2.4);
  end.echoes = 4000;  // each message took four receives
  add_server_metrics(metrics, begin, end, cell, 1);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_predicted_per_echo], 9.6);
}

TEST(TrialSample, PredictsCallsOfThoseThatNeverWait) {
  const Cell cell{"threads", "single", 1, 10, 0};
  ServerSample begin = sample(0, 0, 0, 0, {}), end = sample(1e9, 9e6, 64000, 0, {});
  end.echoes = 1000;
  Metrics metrics;
  add_server_metrics(metrics, begin, end, cell, 1);
  EXPECT_TRUE(std::isnan(metrics[Metric::syscalls_predicted_per_echo])) << "no theory";
  end.expected = ExpectedCalls{.events = 0, .without_waits = 2};
  add_server_metrics(metrics, begin, end, cell, 1);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_predicted_per_echo], 2);
  EXPECT_TRUE(std::isnan(metrics[Metric::events_per_wait]));
}

TEST(TrialSample, NothingPerEchoWithoutAnEcho) {
  Metrics metrics;
  const Cell cell{"poll", "single", 1, 10, 0};
  add_server_metrics(metrics, sample(0, 0, 0, 0, {}), sample(1e9, 1e8, 0, 9, {}), cell, 1);
  EXPECT_TRUE(std::isnan(metrics[Metric::server_cpu_ns_per_echo]));
  EXPECT_TRUE(std::isnan(metrics[Metric::syscalls_per_echo]));
  EXPECT_TRUE(std::isnan(metrics[Metric::server_runqueue_wait_share]));
  EXPECT_DOUBLE_EQ(metrics[Metric::server_cpu_util], 0.1);
}

TEST(TrialSample, ReadsTheServer) {
  const ServerSample read = parse_server_sample(
      R"({"schema_version": 1, "monotonic_ns": 5, "cpu_ns": 6, "echoes": 1, "bytes_out": 7,
          "syscalls": {"wait": 1, "read": 2, "write": 3, "ctl": 4, "accept": 5, "other": 6}})");
  EXPECT_EQ(read.monotonic_ns, 5);
  EXPECT_EQ(read.cpu_ns, 6);
  EXPECT_EQ(read.bytes_out, 7);
  EXPECT_EQ(read.syscalls, (std::array<double, 6>{1, 2, 3, 4, 5, 6}));
}

TEST(TrialSample, ReadsWhatTheServerTellsBeside) {
  const ServerSample read = parse_server_sample(
      R"({"schema_version": 1, "monotonic_ns": 5, "cpu_ns": 6, "echoes": 8, "bytes_out": 7,
          "events": 9, "spins": true,
          "syscalls": {"wait": 1, "read": 2, "write": 3, "ctl": 4, "accept": 5, "other": 6},
          "call_ns": {"wait": 1, "read": 2, "write": 3, "ctl": 4, "accept": 5, "other": 6,
                      "clock": 7},
          "calls_per_echo": {"events": 2, "read": 1, "write": 1, "ctl": 2, "other": 1}})");
  EXPECT_EQ(read.echoes, 8);
  EXPECT_EQ(read.events, 9);
  EXPECT_TRUE(read.spins);
  EXPECT_EQ(read.call_ns, (std::array<double, 5>{1, 2, 3, 4, 7}));
  EXPECT_EQ(read.expected.value().events, 2);
  EXPECT_EQ(read.expected.value().without_waits, 5);
}

TEST(TrialSample, ReadsTheClient) {
  Metrics metrics;
  const ClientVerdict client = add_client_metrics(metrics, R"({"schema_version": 1,
      "echoes_per_s": 1e5, "errors": 3, "errors_by_kind": {"reset": 3}, "duration_s": 0.6,
      "latency_ns": {"p50": 1, "p90": 2, "p99": 3, "p99_9": 4, "max": null},
      "client_cpu_ns_per_echo": 5000, "connect_s": 0.25})",
                                                  2);
  EXPECT_EQ(client.doubts, "");
  EXPECT_EQ(client.errors_by_kind, R"({"reset":3})");
  EXPECT_EQ(metrics[Metric::latency_ns_p99], 3);
  EXPECT_TRUE(std::isnan(metrics[Metric::latency_ns_max]));
  EXPECT_TRUE(std::isnan(metrics[Metric::latency_ns_p99_99])) << "not told by earlier clients";
  EXPECT_DOUBLE_EQ(metrics[Metric::client_cpu_util], 0.25);
}

TEST(TrialSample, ReadsAnOpenLoopAndItsDoubts) {
  Metrics metrics;
  const ClientVerdict client = add_client_metrics(metrics, R"({"schema_version": 1,
      "model": "open", "echoes_per_s": 1e5, "errors": 0, "duration_s": 0.6, "connect_s": 0.25,
      "latency_ns": {"p50": 1, "p90": 2, "p99": 3, "p99_9": 4, "max": 5, "p25": 0.5, "p75": 1.5,
      "p95": 2.5, "p99_99": 4.5},
      "client_cpu_ns_per_echo": 5000, "offered_per_s": 2e5, "latency_from_send_ns": {"p99": 6},
      "send_lag_ns": {"p99": 7}, "not_trusted": ["too slow", "too late"]})",
                                                  1);
  EXPECT_EQ(client.doubts, "too slow; too late");
  EXPECT_EQ(metrics[Metric::latency_ns_p25], 0.5);
  EXPECT_EQ(metrics[Metric::latency_ns_p75], 1.5);
  EXPECT_EQ(metrics[Metric::latency_ns_p95], 2.5);
  EXPECT_EQ(metrics[Metric::latency_ns_p99_99], 4.5);
  EXPECT_EQ(metrics[Metric::offered_per_s], 2e5);
  EXPECT_EQ(metrics[Metric::latency_from_send_ns_p99], 6);
  EXPECT_EQ(metrics[Metric::send_lag_ns_p99], 7);
}

TEST(TrialSample, ReadsConnectionsThatComeAndGo) {
  Metrics metrics;
  add_client_metrics(metrics, R"({"schema_version": 1, "echoes_per_s": 1e5, "errors": 0,
      "latency_ns": {"p50": 1, "p90": 2, "p99": 3, "p99_9": 4, "max": 5}, "duration_s": 0.6,
      "client_cpu_ns_per_echo": 5000, "connect_s": 0.25, "fairness": null, "churn": 2,
      "connections_per_s": 7e3, "first_echo_ns": {"p50": 8, "p99": 9}})",
                     1);
  EXPECT_EQ(metrics[Metric::connections_per_s], 7e3);
  EXPECT_EQ(metrics[Metric::first_echo_ns_p50], 8);
  EXPECT_EQ(metrics[Metric::first_echo_ns_p99], 9);
  EXPECT_TRUE(std::isnan(metrics[Metric::fairness]));
}

TEST(TrialSample, WhatItDoesNotUnderstandIsNotGuessed) {
  Metrics metrics;
  EXPECT_THROW(add_client_metrics(metrics, R"({"echoes_per_s": 1})", 1), ForeignReport);
  EXPECT_THROW(add_client_metrics(metrics, "12 of them", 1), ForeignReport);
  EXPECT_THROW(parse_server_sample("{}"), ForeignReport);
  EXPECT_THROW(parse_server_sample("half a li"), ForeignReport);
}

TEST(TrialSample, KernelTellsWhatThisProcessWaited) {
  const auto wait_ns = runqueue_wait_ns(::getpid());
  ASSERT_TRUE(wait_ns);
  EXPECT_GE(*wait_ns, 0);
  EXPECT_FALSE(runqueue_wait_ns(0));
}

}  // namespace
}  // namespace muxlab
