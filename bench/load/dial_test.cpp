#include "bench/load/dial.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "backends/parts/failure.hpp"
#include "bench/load/load.hpp"
#include "bench/load/testing.hpp"
#include "server/testing/namespace.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::FewPorts;

/// Returns x of the next address 127.0.0.x; 0: the kernel chooses.
std::uint32_t next_number(SourceAddresses& sources) {
  const auto address = sources.next();
  if (!address) return 0;
  EXPECT_EQ(ntohl(address->s_addr) >> 8, 0x7f0000U);
  return ntohl(address->s_addr) & 0xff;
}

TEST(SourceAddresses, LeaveTheChoiceToTheKernelUntilItRunsOut) {
  SourceAddresses sources(true, 1000);
  EXPECT_EQ(next_number(sources), 0U);
  for (std::uint32_t number = 2; number <= 254; ++number) {
    ASSERT_TRUE(sources.advance());
    ASSERT_EQ(next_number(sources), number);
    ASSERT_EQ(next_number(sources), number);
  }
  EXPECT_FALSE(sources.advance());
  EXPECT_EQ(next_number(sources), 254U);
}

TEST(SourceAddresses, GoOnBeforePortsGetScarce) {
  SourceAddresses sources(true, 2);
  for (const std::uint32_t number : {0U, 0U, 2U, 2U, 3U, 3U, 4U}) {
    EXPECT_EQ(next_number(sources), number);
  }
  ASSERT_TRUE(sources.advance());
  for (const std::uint32_t number : {5U, 5U, 6U}) EXPECT_EQ(next_number(sources), number);
}

TEST(SourceAddresses, BeginAnewAfterTheLast) {
  SourceAddresses sources(true, 1);
  while (sources.advance()) {
  }
  EXPECT_EQ(next_number(sources), 254U);
  EXPECT_EQ(next_number(sources), 0U);
  EXPECT_EQ(next_number(sources), 2U);
}

TEST(SourceAddresses, AreOneOnlyUnlessTheServerIsOnThisMachine) {
  SourceAddresses sources(false, 2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next_number(sources), 0U);
  EXPECT_FALSE(sources.advance());
  EXPECT_EQ(next_number(sources), 0U);
}

TEST(Dial, ComesFromTheAddressThatItIsGiven) {
  const EchoServer server;
  SourceAddresses sources(true, 1000);
  ASSERT_TRUE(sources.advance());
  const Dialled dialled = dial(resolve_targets(server.address()).front(), sources);
  ASSERT_TRUE(dialled.fd);
  sockaddr_in name{};
  socklen_t size = sizeof name;
  ASSERT_EQ(::getsockname(dialled.fd.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  EXPECT_EQ(ntohl(name.sin_addr.s_addr), 0x7f000002U);
}

LoadOptions three_hundred(const std::string& address) {
  LoadOptions options;
  options.connect = address;
  options.connections = 100;
  options.idle = 200;
  options.warmup = 1ms;
  options.duration = 20ms;
  options.threads = 2;
  return options;
}

TEST_F(FewPorts, AreNoLimitToAServerOnThisMachine) {
  if (!enter()) {
    if (!skip_reason().empty()) GTEST_SKIP() << skip_reason();
    return;
  }
  const EchoServer server;
  const LoadReport report = run_load(three_hundred(server.address()));
  EXPECT_EQ(report.tally.established, 300U);
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
}

TEST_F(FewPorts, AreALimitThatIsNamedWhereThereIsNoOtherAddress) {
  if (!enter()) {
    if (!skip_reason().empty()) GTEST_SKIP() << skip_reason();
    return;
  }
  const EchoServer server({.host = "::1"});
  try {
    run_load(three_hundred(server.address()));
    ADD_FAILURE() << "it ran";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::unavailable);
    EXPECT_NE(std::string(failure.what()).find("ip_local_port_range"), std::string::npos);
  }
}

}  // namespace

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
