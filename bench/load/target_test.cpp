#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "backends/parts/failure.hpp"
#include "bench/load/dial.hpp"

namespace muxlab {
namespace {

TEST(LoadTarget, IsAnIpv4Address) {
  const LoadTarget target = resolve_targets("127.1.2.3:7000").front();
  ASSERT_EQ(target.address.ss_family, AF_INET);
  sockaddr_in name{};
  std::memcpy(&name, &target.address, sizeof name);
  EXPECT_EQ(ntohl(name.sin_addr.s_addr), 0x7f010203U);
  EXPECT_EQ(ntohs(name.sin_port), 7000);
  EXPECT_EQ(target.text, "127.1.2.3:7000");
  EXPECT_TRUE(target.is_tcp());
  EXPECT_TRUE(target.is_ipv4_loopback());
  EXPECT_FALSE(resolve_targets("192.0.2.1:7000").front().is_ipv4_loopback());
}

TEST(LoadTarget, IsAnIpv6AddressInBrackets) {
  const LoadTarget target = resolve_targets("[::1]:65535").front();
  ASSERT_EQ(target.address.ss_family, AF_INET6);
  EXPECT_TRUE(target.is_tcp());
  EXPECT_FALSE(target.is_ipv4_loopback());
}

TEST(LoadTarget, IsANameAndThenRatherIpv4) {
  EXPECT_TRUE(resolve_targets("localhost:7000").front().is_ipv4_loopback());
}

TEST(LoadTarget, IsAUnixPath) {
  const std::string path = "/tmp/" + std::string(102, 'x');
  const LoadTarget target = resolve_targets("unix:" + path).front();
  ASSERT_EQ(target.address.ss_family, AF_UNIX);
  sockaddr_un name{};
  std::memcpy(&name, &target.address, sizeof name);
  EXPECT_EQ(path, name.sun_path);
  EXPECT_FALSE(target.is_tcp());
}

ExitCode failure_of(const std::string& text) {
  try {
    static_cast<void>(resolve_targets(text));
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("--connect"), std::string::npos) << failure.what();
    return failure.code();
  }
  return ExitCode::ok;
}

TEST(LoadTarget, RefusesWhatIsNoAddress) {
  for (const std::string text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:70x",
        "127.0.0.1:-1", ":7000", "[]:7000", "::1:7000", "unix:"}) {
    EXPECT_EQ(failure_of(text), ExitCode::usage) << text;
  }
  EXPECT_EQ(failure_of("unix:" + std::string(108, 'x')), ExitCode::usage);
  EXPECT_EQ(failure_of(std::string(300, 'x') + ":7000"), ExitCode::unavailable);
}

}  // namespace
}  // namespace muxlab
