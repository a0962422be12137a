#include "server/inspect/feasibility.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace muxlab {
namespace {

constexpr std::uint64_t kEnough = 1'000'000'000'000;

ConnectionLimits no_limits() {
  return {.descriptors = kEnough,
          .nr_open = std::nullopt,
          .file_max = std::nullopt,
          .ports = std::nullopt,
          .epoll_watches = std::nullopt,
          .tcp_pages = std::nullopt,
          .memory_bytes = std::nullopt,
          .socket_bytes = 4000,
          .threads = {.threads = kEnough, .reason = ""}};
}

TriedBackend works(const char* name) {
  return {.backend = find_backend(name), .found = {}, .constructed = true, .live_echo = "passed"};
}

nlohmann::ordered_json verdict(const TriedBackend& backend, std::uint64_t connections,
                               const ConnectionLimits& limits) {
  return feasibility(connections, {&backend, 1}, limits)["backends"][0];
}

std::string only_fix(const nlohmann::ordered_json& found) {
  return found["fix"].size() == 1 ? found["fix"][0].get<std::string>() : found.dump();
}

TEST(Feasibility, WhatIsUnknownIsNoLimit) {
  const auto found = feasibility(1'000'000, std::vector{works("poll")}, no_limits());
  EXPECT_EQ(found["possible"], true);
  EXPECT_TRUE(found["needs"][3]["have"].is_null());
}

TEST(Feasibility, DescriptorsAreCountedExactly) {
  ConnectionLimits limits = no_limits();
  limits.descriptors = 1033;  // 1000, 32 of the client, and the epoll instance of its thread
  EXPECT_EQ(verdict(works("poll"), 1000, limits)["possible"], true);
  const auto one_more = verdict(works("poll"), 1001, limits);
  EXPECT_EQ(one_more["possible"], false);
  EXPECT_EQ(one_more["max_connections"], 1000);
  EXPECT_EQ(only_fix(one_more), "sudo prlimit --pid $$ --nofile=1034:1034");
  limits.nr_open = 1033;
  EXPECT_EQ(only_fix(verdict(works("poll"), 1001, limits)),
            "sudo sysctl fs.nr_open=1034 && sudo prlimit --pid $$ --nofile=1034:1034");
}

TEST(Feasibility, EveryLimitBindsAtItsNumber) {
  const auto expect_bound = [](ConnectionLimits limits, const std::string& command) {
    EXPECT_EQ(verdict(works("poll"), 2540, limits)["possible"], true) << command;
    const auto found = verdict(works("poll"), 2541, limits);
    EXPECT_EQ(found["max_connections"], 2540);
    EXPECT_TRUE(only_fix(found).starts_with(command)) << found;
  };
  ConnectionLimits limits = no_limits();
  limits.ports = 10;  // from each of 254 addresses
  expect_bound(limits, "sudo sysctl net.ipv4.ip_local_port_range=");
  limits = no_limits();
  limits.file_max = 2 * 2540 + 21 + 33;
  expect_bound(limits, "sudo sysctl fs.file-max=5136");
  limits = no_limits();
  limits.epoll_watches = 2 * 2540;
  expect_bound(limits, "sudo sysctl fs.epoll.max_user_watches=5082");
  limits = no_limits();
  limits.tcp_pages = 2 * 2540;
  expect_bound(limits, "sudo sysctl net.ipv4.tcp_mem=\"2541 3811 5082\"");
}

TEST(Feasibility, NoCommandMakesMorePortsThanThereAre) {
  ConnectionLimits limits = no_limits();
  limits.ports = 10;
  const std::uint64_t all = std::uint64_t{254} * (65'536 - 1024);
  EXPECT_FALSE(verdict(works("poll"), all, limits)["fix"].empty());
  EXPECT_TRUE(verdict(works("poll"), all + 1, limits)["fix"].empty());
}

TEST(Feasibility, MemoryIsOfBothSocketsAndOfTheServer) {
  ConnectionLimits limits = no_limits();
  const std::uint64_t each = 2 * 4000 + find_backend("poll")->connection_bytes;
  limits.memory_bytes = 100 * each;
  EXPECT_EQ(verdict(works("poll"), 100, limits)["possible"], true);
  EXPECT_EQ(verdict(works("poll"), 100, limits)["memory_bytes"], 100 * each);
  EXPECT_EQ(verdict(works("poll"), 101, limits)["max_connections"], 100);
}

TEST(Feasibility, ThreadsBindOnlyABackendThatNeedsThem) {
  ConnectionLimits limits = no_limits();
  limits.threads = {.threads = 500, .reason = "kernel.pid_max is 500"};
  TriedBackend threads = works("threads");
  threads.found.max_connections = 12'345;  // it has a limit, but that of the machine counts
  EXPECT_EQ(verdict(works("poll"), 501, limits)["possible"], true);
  EXPECT_EQ(verdict(threads, 500, limits)["possible"], true);
  const auto found = verdict(threads, 501, limits);
  EXPECT_EQ(found["bound_by"], "each connection has a thread, and kernel.pid_max is 500");
  EXPECT_EQ(only_fix(found), "sudo sysctl kernel.pid_max=1514");
  limits.threads.reason = "ulimit -u is 500";
  EXPECT_EQ(only_fix(verdict(threads, 501, limits)), "sudo prlimit --pid $$ --nproc=1514:1514");
  limits.threads.reason = "pids.max of the control group is 500";
  EXPECT_TRUE(verdict(threads, 501, limits)["fix"].empty());
}

TEST(Feasibility, ABackendHasItsOwnBound) {
  TriedBackend capped = works("libevent-select");
  capped.found = Availability::up_to(1023, "it ends at 1023");
  EXPECT_EQ(verdict(capped, 1003, no_limits())["possible"], true);
  const auto found = verdict(capped, 1004, no_limits());
  EXPECT_EQ(found["max_connections"], 1003);
  EXPECT_EQ(found["bound_by"], "it ends at 1023");
  TriedBackend broken = works("io-uring");
  broken.found = Availability::never("it is off", "switch it on");
  const auto never = verdict(broken, 1, no_limits());
  EXPECT_EQ(never["max_connections"], 0);
  EXPECT_EQ(never["bound_by"], "it is off");
  EXPECT_EQ(only_fix(never), "switch it on");
}

TEST(Feasibility, TextHasEachCommandOnce) {
  ConnectionLimits limits = no_limits();
  limits.descriptors = 1024;
  const auto found = feasibility(10'000, std::vector{works("poll"), works("epoll-lt")}, limits);
  const std::string text = feasibility_text(found, {.width = std::string::npos, .colour = false});
  const std::string command = "\n  sudo prlimit --pid $$ --nofile=10033:10033\n";
  EXPECT_EQ(text.find(command), text.rfind(command)) << text;
  EXPECT_NE(text.find(command), std::string::npos) << text;
}

}  // namespace
}  // namespace muxlab
