#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/select.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "server/testing/program.hpp"

/// `muxlab inspect` on prepared folders, with other limits and switches than this machine's.
namespace muxlab {
namespace {

using SysrootJson = nlohmann::ordered_json;

/// A folder that stands for a machine; removed at the end of the test.
class InspectSysroot : public testing::Test {
 protected:
  InspectSysroot() {
    std::string name = testing::TempDir() + "sysroot-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
  }

  /// Prepares a machine with the defaults of many distributions.
  void prepare_small_machine() {
    file("etc/os-release", "PRETTY_NAME=\"Some Linux\"");
    file("proc/sys/kernel/osrelease", "6.6.0");
    file("proc/cpuinfo", "model name\t: Some CPU\nflags\t: fpu sse");
    file("proc/meminfo", "MemTotal:  262144 kB\nMemAvailable:  131072 kB");
    file("proc/self/limits", "Max open files            1024                 4096       files");
    file("proc/self/status", "Seccomp:\t0");
    file("proc/sys/fs/nr_open", "8192");
    file("proc/sys/fs/file-max", "100000");
    file("proc/sys/fs/epoll/max_user_watches", "15000");
    file("proc/sys/net/ipv4/ip_local_port_range", "60000\t60029");
    file("proc/sys/net/ipv4/tcp_congestion_control", "cubic");
    file("proc/sys/net/ipv4/tcp_available_congestion_control", "reno cubic");
    file("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456");
    file("proc/sys/net/ipv4/tcp_wmem", "4096\t16384\t4194304");
    file("proc/sys/net/ipv4/tcp_mem", "40000\t60000\t80000");
    file("proc/sys/net/core/somaxconn", "128");
    file("proc/sys/kernel/threads-max", "3000");
    file("proc/sys/kernel/io_uring_disabled", "0");
    file("sys/devices/system/cpu/online", "0-3");
    file("sys/devices/system/cpu/smt/control", "on");
    file("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
    file("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
    file("sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI");
    file("sys/devices/system/cpu/vulnerabilities/mds", "Not affected");
  }

  [[nodiscard]] std::string options() const { return " --sysroot " + root_.string(); }

  [[nodiscard]] SysrootJson found(const std::string& arguments) const {
    const test::Outcome outcome =
        test::run("inspect --json --backends poll " + arguments + options());
    return SysrootJson::parse(outcome.output);
  }

  std::filesystem::path root_;
};

constexpr const char* kMachine = R"({
  "distribution": "Some Linux",
  "kernel_release": "6.6.0",
  "cpu_model": "Some CPU",
  "processors_online": 4,
  "memory_bytes": 268435456,
  "memory_available_bytes": 134217728,
  "virtualisation": {"hypervisor": false, "vendor": null, "product": null},
  "mitigations": {"mds": "Not affected", "meltdown": "Mitigation: PTI"},
  "governor": "powersave",
  "simultaneous_multithreading": "on",
  "clock_source": "hpet",
  "cpu_quota": null,
  "control_group": {
    "processors": null, "memory_bytes": null, "memory_left_bytes": null, "tasks": null,
    "set_by": {"processors": null, "memory": null, "tasks": null},
    "throttled_periods": null, "throttled_us": null
  },
  "descriptor_limit": {"soft": 1024, "hard": 4096},
  "nr_open": 8192,
  "file_max": 100000,
  "epoll_max_user_watches": 15000,
  "ip_local_port_range": [60000, 60029],
  "somaxconn": 128,
  "tcp_congestion_control": "cubic",
  "tcp_congestion_control_available": ["reno", "cubic"],
  "memory_per_socket": {
    "objects_bytes": null,
    "receive_buffer_min_default_max_bytes": [4096, 131072, 6291456],
    "send_buffer_min_default_max_bytes": [4096, 16384, 4194304],
    "all_sockets_low_pressure_high_pages": [40000, 60000, 80000]
  },
  "io_uring_disabled": 0,
  "seccomp_mode": 0
})";

TEST_F(InspectSysroot, MachineCardIsThatOfTheFolder) {
  prepare_small_machine();
  SysrootJson machine = found("")["machine"];
  EXPECT_EQ(machine["fd_setsize"], FD_SETSIZE);
  for (const char* of_this_program :
       {"architecture", "fd_setsize", "compiler", "build", "libraries"}) {
    EXPECT_EQ(machine.erase(of_this_program), 1U) << of_this_program;
  }
  EXPECT_EQ(machine, SysrootJson::parse(kMachine)) << machine.dump(2);
}

constexpr const char* kMachineText =
    R"(clock source    hpet
memory          256 MiB, 128 MiB available
control group   no limit
descriptors     soft limit 1024, hard limit 4096; fs.nr_open 8192, fs.file-max 100000
FD_SETSIZE      1024
epoll watches   15000
ports           60000 to 60029: 30 from one address to one port
somaxconn       128
congestion      cubic, of reno cubic
per socket      unknown bytes of kernel objects
receive buffer  least, default, most bytes: 4096 131072 6291456
send buffer     least, default, most bytes: 4096 16384 4194304
mitigations     meltdown: Mitigation: PTI
mitigations     not affected by 1
build           commit )";

TEST_F(InspectSysroot, TextAndSummaryAreThoseOfTheFolder) {
  prepare_small_machine();
  const test::Outcome text = test::run("inspect --backends poll" + options());
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.output.find("\nsystem          Some Linux, Linux 6.6.0, "), std::string::npos);
  EXPECT_NE(text.output.find("\nprocessors      4, Some CPU; SMT on; governor powersave\n"
                             "hypervisor      no; vendor unknown, product unknown\n" +
                             std::string(kMachineText)),
            std::string::npos)
      << text.output;
  const auto has_switch = [this](const std::string& said) {
    const std::string output = test::run("inspect --backends poll" + options()).output;
    // The longest feature name sets the width, and depends on this kernel.
    EXPECT_THAT(output, testing::ContainsRegex("\nkernel switch +" + said + "\n"));
  };
  for (const auto& [disabled, said] :
       {std::pair{"0", "0: on"}, {"1", "1: off without privileges"}, {"2", "2: off"}}) {
    file("proc/sys/kernel/io_uring_disabled", disabled);
    has_switch(fmt::format("kernel.io_uring_disabled is {}", said));
  }
  std::filesystem::remove(root_ / "proc/sys/kernel/io_uring_disabled");
  has_switch("none, always on: no kernel.io_uring_disabled");
  const test::Outcome summary =
      test::run("inspect --summary --backends poll,epoll-lt" + options(), "ulimit -n 200;");
  EXPECT_TRUE(summary.output.starts_with(
      "2 of 2 backends work; at most 179 connections; Linux 6.6.0, 4 processors, io_uring works, "
      "libevent 2."))
      << summary.output;
}

constexpr const char* kTenThousand =
    R"(10k connections, with the server and the load client on this machine, one thread each. Memory is the most that they take when no client reads.

WHAT                       NEEDED  THERE ARE  ENOUGH  SET BY
descriptors of the server   10021       4096  no      ulimit -Hn
descriptors of the client   10033       4096  no      ulimit -Hn
descriptors of both         20054     100000  yes     fs.file-max
ports of the client         10000       7620  no      net.ipv4.ip_local_port_range, for each of 254 addresses
epoll watches of both       20000      15000  no      fs.epoll.max_user_watches
pages of TCP buffers        20000      80000  yes     net.ipv4.tcp_mem, with one on either side

BACKEND   10k  AT MOST   MEMORY  BOUND BY
epoll-lt  no      4063  245 MiB  descriptors of the client (ulimit -Hn)
threads   no      2048  625 MiB  134217728 bytes of memory are available, and a connection takes up to 65536

To change it:
  sudo sysctl fs.nr_open=10033 && sudo prlimit --pid $$ --nofile=10033:10033
  sudo sysctl net.ipv4.ip_local_port_range="1024 65535"
  sudo sysctl fs.epoll.max_user_watches=20000
  sudo sysctl kernel.threads-max=20512

No command gives the memory that they may take: 128 MiB are available.
)";

TEST_F(InspectSysroot, SaysWhatTenThousandConnectionsLack) {
  prepare_small_machine();
  const test::Outcome outcome =
      test::run("inspect --for 10k --backends epoll-lt,threads" + options());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.output, kTenThousand);
  EXPECT_EQ(test::run("inspect --for 1k --backends epoll-lt,threads" + options()).exit_code, 0);
  const SysrootJson feasible = found("--for 4063")["feasibility"];
  EXPECT_EQ(feasible["possible"], true) << feasible.dump(2);
  EXPECT_EQ(found("--for 4064")["feasibility"]["possible"], false);
}

/// A group of version 2 and its parent, which sets the limits.
TEST_F(InspectSysroot, ObeysTheLimitsOfItsControlGroups) {
  prepare_small_machine();
  file("proc/self/cgroup", "0::/work/inner");
  file("proc/self/mountinfo", "30 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
  file("sys/fs/cgroup/work/cpu.max", "50000 100000");
  file("sys/fs/cgroup/work/cpu.stat", "nr_throttled 4\nthrottled_usec 250000");
  file("sys/fs/cgroup/work/memory.max", "67108864");
  file("sys/fs/cgroup/work/pids.max", "300");
  file("sys/fs/cgroup/work/inner/cpu.max", "max 100000");
  const SysrootJson json = found("--for 4k");
  EXPECT_EQ(json["machine"]["cpu_quota"], "50000 100000");
  const SysrootJson& group = json["machine"]["control_group"];
  EXPECT_EQ(group["processors"], 0.5);
  EXPECT_EQ(group["memory_left_bytes"], 67108864);
  EXPECT_EQ(group["tasks"], 300);
  EXPECT_EQ(group["set_by"]["memory"], "/sys/fs/cgroup/work/memory.max");
  EXPECT_EQ(group["throttled_us"], 250000);
  const SysrootJson& feasible = json["feasibility"];
  EXPECT_EQ(feasible["possible"], false) << feasible.dump(2);
  EXPECT_EQ(feasible["memory_available_bytes"], 67108864);
  EXPECT_EQ(feasible["processors"], 0.5);
  EXPECT_TRUE(feasible["backends"][0]["bound_by"].get<std::string>().starts_with(
      "67108864 bytes of memory are available by /sys/fs/cgroup/work/memory.max, and "))
      << feasible["backends"][0];
  const std::string text = test::run("inspect --backends poll" + options()).output;
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "\ncontrol group   0.5 processors by /sys/fs/cgroup/work/cpu.max; 64 MiB of "
                  "memory, 64 MiB left by /sys/fs/cgroup/work/memory.max; 300 threads by "
                  "/sys/fs/cgroup/work/pids.max; throttled 4 times, 0.2 s in all\n"));
  const test::Outcome asked = test::run("inspect --for 4k --backends poll,threads" + options());
  EXPECT_EQ(asked.exit_code, 3);
  EXPECT_THAT(asked.output, testing::HasSubstr("raise /sys/fs/cgroup/work/memory.max."));
  EXPECT_THAT(asked.output, testing::HasSubstr("allows 0.5 processors for server and client"));
  EXPECT_THAT(asked.output, testing::ContainsRegex("threads +no +300 "));
}

TEST_F(InspectSysroot, NothingThereIsUnknownAndNoError) {
  const SysrootJson json = found("--for 1k");
  EXPECT_TRUE(json["machine"]["somaxconn"].is_null());
  EXPECT_EQ(json["backends"][0]["live_echo"], "passed");
  EXPECT_TRUE(json["feasibility"]["needs"][3]["have"].is_null());
  EXPECT_EQ(json["feasibility"]["possible"], true) << "this process has the descriptors";
  const test::Outcome text = test::run("inspect --backends poll" + options());
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.output.find("unknown: no kernel.io_uring_disabled"), std::string::npos);
  EXPECT_NE(text.output.find("mitigations     unknown"), std::string::npos) << text.output;
}

TEST_F(InspectSysroot, TellsTheKernelsSwitchFromASeccompFilter) {
  struct Case {
    const char* disabled;
    const char* reason;
    const char* fix;
  };
  for (const Case& one :
       {Case{"0", "io_uring_setup is forbidden", "a seccomp profile that allows io_uring"},
        Case{"1", "kernel.io_uring_disabled is 1", "the group kernel.io_uring_group"},
        Case{"2", "kernel.io_uring_disabled is 2", "sudo sysctl kernel.io_uring_disabled=0"}}) {
    file("proc/sys/kernel/io_uring_disabled", one.disabled);
    const test::Outcome outcome =
        test::run_without_io_uring("inspect --json --backends poll" + options(), EPERM);
    const SysrootJson json = SysrootJson::parse(outcome.output);
    const SysrootJson& ring = json["io_uring"];
    EXPECT_EQ(ring["status"], "unavailable");
    EXPECT_NE(ring["reason"].get<std::string>().find(one.reason), std::string::npos) << ring;
    EXPECT_NE(ring["fix"].get<std::string>().find(one.fix), std::string::npos) << ring;
  }
}

TEST_F(InspectSysroot, AFolderThatIsNotThereIsAUsageError) {
  const test::Outcome outcome = test::run("inspect --sysroot " + (root_ / "nowhere").string());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.output.find("nowhere is not a folder"), std::string::npos) << outcome.output;
}

}  // namespace
}  // namespace muxlab
