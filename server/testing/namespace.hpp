#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "backends/parts/unique_fd.hpp"

/// Gives a child network or mount namespaces of its own, in which it is root. Requires: one thread,
/// between fork and exec. A failure ends the child with kNotPermitted.
namespace muxlab::test {

inline constexpr int kNotPermitted = 125;

inline void require(bool permitted) {
  if (!permitted) ::_exit(kNotPermitted);
}

inline void write_file(const char* path, std::string_view text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  require(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// Switches on the loopback device of this process's network.
inline void raise_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{.ifr_ifrn = {.ifrn_name = "lo"}, .ifr_ifru = {}};
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  require(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback) == 0);
}

/// Enters new namespaces; `kinds`: CLONE_NEWNET and CLONE_NEWNS.
inline void enter_namespaces(int kinds) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  require(::unshare(CLONE_NEWUSER | kinds) == 0);
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
  if ((kinds & CLONE_NEWNS) != 0) {
    require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  }
  if ((kinds & CLONE_NEWNET) != 0) raise_loopback();
}

/// Mounts `source` over `path`.
inline void mount_over(const std::string& source, const char* path) {
  require(::mount(source.c_str(), path, nullptr, MS_BIND, nullptr) == 0);
}

/// Returns true when enter_namespaces() works here.
inline bool may_enter_namespaces(int kinds) {
  const pid_t child = ::fork();
  if (child == 0) {
    enter_namespaces(kinds);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

/// Runs the test program again, in its own network with few ports to connect from. Uses unshare(1),
/// which a machine may forbid.
class FewPorts : public testing::Test {
 protected:
  static constexpr const char* kMarker = "MUXLAB_TEST_HAS_FEW_PORTS";

  /// Returns true in the inner program, which must run the test proper.
  static bool enter(int ports = 100) {
    if (std::getenv(kMarker) != nullptr) {
      narrow_network(ports);
      return true;
    }
    const std::string unshare = "unshare --user --map-root-user --net ";
    if (std::system((unshare + "true >/dev/null 2>&1").c_str()) != 0) {
      skip_reason() = "this machine does not permit: unshare --user --map-root-user --net";
      return false;
    }
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const std::string command = unshare + "env " + kMarker + "=1 '" +
                                std::filesystem::read_symlink("/proc/self/exe").string() +
                                "' --gtest_filter=" + test->test_suite_name() + "." + test->name() +
                                " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return false;
  }

  static std::string& skip_reason() {
    static std::string reason;
    return reason;
  }

 private:
  static void narrow_network(int ports) {
    raise_loopback();
    std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
    range << "20000 " << 20'000 + ports - 1 << std::flush;
    ASSERT_TRUE(range) << "ip_local_port_range is not writable";
  }
};

}  // namespace muxlab::test
