#pragma once

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab::test {

/// A network of its own, with few ports to connect from: this test program, started again in
/// one. Made with unshare(1); a machine may forbid that.
class FewPorts : public testing::Test {
 protected:
  static constexpr const char* kMarker = "MUXLAB_TEST_HAS_FEW_PORTS";

  /// True where the test proper is to run: inside.
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
    const UniqueFd socket(checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    ifreq loopback{.ifr_ifrn = {.ifrn_name = "lo"}, .ifr_ifru = {}};
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    checked(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback), "SIOCSIFFLAGS");
    std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
    range << "20000 " << 20'000 + ports - 1 << std::flush;
    ASSERT_TRUE(range) << "ip_local_port_range is not writable";
  }
};

}  // namespace muxlab::test
