#include "server/inspect/machine.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// A folder that stands for a machine; removed at the end of the test.
class MachineTest : public testing::Test {
 protected:
  MachineTest() {
    std::string name = testing::TempDir() + "machine-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void file(const Path& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  Path root_;
};

TEST_F(MachineTest, ReadsAPreparedFolder) {
  file("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  file("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  file("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t: fpu hypervisor\n");
  file("proc/meminfo", "MemTotal:        2048 kB\nMemAvailable:    1024 kB\n");
  file("proc/self/status", "Name:\tmuxlab\nSeccomp:\t2\n");
  file("proc/slabinfo",
       "# name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
       "TCP 1 2 2368 13 8 : tunables\nsock_inode_cache 1 2 832 19 4 : tunables\n"
       "filp 1 2 192 21 1 : tunables\ndentry 1 2 192 21 1 : tunables\n");
  file("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t33554432\n");
  file("proc/sys/net/ipv4/tcp_available_congestion_control", "reno cubic\n");
  file("proc/sys/net/ipv4/tcp_congestion_control", "cubic\n");
  file("proc/sys/fs/nr_open", "1048576\n");
  file("proc/sys/fs/file-max", "9223372036854775807\n");
  file("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  file("proc/self/limits", "Max open files            1024                 4096       files\n");
  file("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
  file("proc/sys/net/core/somaxconn", "4096\n");
  file("sys/devices/system/cpu/online", "0-3,8\n");
  file("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n");
  file("sys/class/dmi/id/sys_vendor", "QEMU\n");
  const auto card = machine_card(root_);
  EXPECT_EQ(card["distribution"], "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(card["kernel_release"], "6.1.0-18-amd64");
  EXPECT_EQ(card["cpu_model"], "Some CPU @ 3 GHz");
  EXPECT_EQ(card["processors_online"], 5);
  EXPECT_EQ(card["memory_bytes"], 2048 * 1024);
  EXPECT_EQ(card["virtualisation"]["hypervisor"], true);
  EXPECT_EQ(card["virtualisation"]["vendor"], "QEMU");
  EXPECT_EQ(card["mitigations"]["meltdown"], "Not affected");
  EXPECT_EQ(card["descriptor_limit"]["soft"], 1024);
  EXPECT_EQ(card["descriptor_limit"]["hard"], 4096);
  EXPECT_EQ(card["ip_local_port_range"], (nlohmann::ordered_json{32768, 60999}));
  EXPECT_EQ(card["somaxconn"], 4096);
  EXPECT_EQ(card["memory_available_bytes"], 1024 * 1024);
  EXPECT_EQ(card["seccomp_mode"], 2);
  EXPECT_EQ(card["memory_per_socket"]["objects_bytes"], 2521 + 863 + 196 + 196) << "rounded up";
  EXPECT_EQ(card["memory_per_socket"]["receive_buffer_min_default_max_bytes"],
            (nlohmann::ordered_json{4096, 131072, 33554432}));
  EXPECT_EQ(card["tcp_congestion_control"], "cubic");
  EXPECT_EQ(card["tcp_congestion_control_available"], (nlohmann::ordered_json{"reno", "cubic"}));
  EXPECT_EQ(card["nr_open"], 1048576);
  EXPECT_EQ(card["file_max"], 9223372036854775807U);
  EXPECT_EQ(card["governor"], "performance");
}

TEST_F(MachineTest, WhatIsMissingOrBrokenIsNull) {
  file("sys/devices/system/cpu/online", "none\n");
  file("proc/sys/net/core/somaxconn", "many\n");
  file("proc/self/limits", "Max open files            unlimited            unlimited  files\n");
  file("proc/sys/net/ipv4/tcp_rmem", "4096 131072\n");
  file("proc/slabinfo", "TCP 1 2 2368 13 8 : tunables\n");
  const auto card = machine_card(root_);
  for (const char* key :
       {"distribution", "kernel_release", "cpu_model", "processors_online", "memory_bytes",
        "mitigations", "governor", "clock_source", "somaxconn", "ip_local_port_range",
        "tcp_congestion_control", "seccomp_mode", "memory_available_bytes", "nr_open"}) {
    EXPECT_TRUE(card.at(key).is_null()) << key;
  }
  EXPECT_TRUE(card["descriptor_limit"]["hard"].is_null());
  EXPECT_TRUE(card["virtualisation"]["hypervisor"].is_null());
  EXPECT_TRUE(card["memory_per_socket"]["objects_bytes"].is_null()) << "not all caches are there";
  EXPECT_TRUE(card["memory_per_socket"]["receive_buffer_min_default_max_bytes"].is_null());
}

TEST(Machine, KnowsThisOne) {
  const auto card = machine_card();
  EXPECT_TRUE(card["kernel_release"].is_string());
  EXPECT_GE(card["processors_online"], 1);
  EXPECT_GE(card["fd_setsize"], 1024);
  EXPECT_TRUE(card["compiler"].is_string());
  EXPECT_TRUE(card["build"]["type"].is_string());
  const auto commit = card["build"]["commit"].get<std::string>();
  const std::string number = commit.substr(0, commit.find('-'));
  EXPECT_TRUE(commit == "unknown" || number.size() == 40) << commit;
  EXPECT_EQ(number.find_first_not_of(commit == "unknown" ? "unkow" : "0123456789abcdef"),
            std::string::npos);
}

}  // namespace
}  // namespace muxlab
