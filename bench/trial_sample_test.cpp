#include "bench/trial_sample.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

ServerSample sample(double monotonic_ns, double cpu_ns, double bytes_out, double calls,
                    std::optional<double> wait_ns) {
  return {{{"monotonic_ns", monotonic_ns},
           {"cpu_ns", cpu_ns},
           {"bytes_out", bytes_out},
           {"syscalls",
            {{"wait", calls},
             {"read", 4 * calls},
             {"write", 4 * calls},
             {"ctl", 0},
             {"accept", 7},
             {"other", 0}}}},
          wait_ns};
}

TEST(TrialSample, CountsOnlyTheWindow) {
  Metrics metrics;
  add_server_metrics(metrics, sample(1e9, 5e8, 640, 100, 1e6), sample(3e9, 25e8, 64640, 350, 11e7),
                     {"poll", "reuseport", 2, 10, 0}, 64, 2);
  // 64,000 bytes of 64 are 1,000 echoes, in 2 s with 2 s of CPU on two processors.
  EXPECT_DOUBLE_EQ(metrics[Metric::server_cpu_ns_per_echo], 2e6);
  EXPECT_DOUBLE_EQ(metrics[Metric::server_cpu_util], 0.5);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_wait_per_echo], 0.25);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_read_per_echo], 1);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_accept_per_echo], 0);
  EXPECT_DOUBLE_EQ(metrics[Metric::syscalls_per_echo], 2.25);
  EXPECT_DOUBLE_EQ(metrics[Metric::server_runqueue_wait_share], 109e6 / 2e9 / 2);
}

TEST(TrialSample, NothingPerEchoWithoutAnEcho) {
  Metrics metrics;
  const Cell cell{"poll", "single", 1, 10, 0};
  add_server_metrics(metrics, sample(0, 0, 0, 0, {}), sample(1e9, 1e8, 0, 9, {}), cell, 64, 1);
  EXPECT_TRUE(std::isnan(metrics[Metric::server_cpu_ns_per_echo]));
  EXPECT_TRUE(std::isnan(metrics[Metric::syscalls_per_echo]));
  EXPECT_TRUE(std::isnan(metrics[Metric::server_runqueue_wait_share]));
  EXPECT_DOUBLE_EQ(metrics[Metric::server_cpu_util], 0.1);
}

TEST(TrialSample, ReadsTheClient) {
  const Json report = Json::parse(R"({"schema_version": 1, "echoes_per_s": 1e5, "errors": 0,
      "latency_ns": {"p50": 1, "p90": 2, "p99": 3, "p99_9": 4, "max": null}, "duration_s": 0.6,
      "client_cpu_ns_per_echo": 5000, "connect_s": 0.25})");
  Metrics metrics;
  add_client_metrics(metrics, report, 2);
  EXPECT_EQ(metrics[Metric::latency_ns_p99], 3);
  EXPECT_TRUE(std::isnan(metrics[Metric::latency_ns_max]));
  EXPECT_DOUBLE_EQ(metrics[Metric::client_cpu_util], 0.25);
}

TEST(TrialSample, MissingKeysAreNotGuessed) {
  Metrics metrics;
  EXPECT_THROW(add_client_metrics(metrics, Json::parse(R"({"echoes_per_s": 1})"), 1),
               Json::exception);
}

TEST(TrialSample, KernelTellsWhatThisProcessWaited) {
  const auto wait_ns = runqueue_wait_ns(::getpid());
  ASSERT_TRUE(wait_ns);
  EXPECT_GE(*wait_ns, 0);
  EXPECT_FALSE(runqueue_wait_ns(0));
}

}  // namespace
}  // namespace muxlab
