#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "server/listener.hpp"
#include "server/testing/client.hpp"
#include "server/testing/namespace.hpp"
#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"

/// Tests how `serve` finds its address, and how it ends before it has one.
namespace muxlab {
namespace {

namespace fs = std::filesystem;

using test::Client;
using test::eventually;

bool has_ipv6() {
  try {
    listen_on({.host = "::1"}, false);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

/// Creates a file for its lifetime.
class File {
 public:
  explicit File(const std::string& text) {
    std::string name = testing::TempDir() + "/muxlab-file-XXXXXX";
    const UniqueFd made(checked(::mkstemp(name.data()), "mkstemp"));
    path_ = name;
    std::ofstream(path_) << text;
    fs::permissions(path_, fs::perms(0644));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { fs::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ServeHost, ListensOnTheFirstAddressThatThisMachineHas) {
  const std::vector<ListenAddress> addresses = {{.host = "192.0.2.1"}, {.host = "127.0.0.1"}};
  const Listening listening = listen_on_first(addresses, false);
  EXPECT_EQ(listening.address.host, "127.0.0.1");
  EXPECT_EQ(listening.address.port, port_of(listening.socket.get()));
}

TEST(ServeHost, DoesNotPassByABusyAddress) {
  const UniqueFd busy = listen_on({.host = "127.0.0.1"}, false);
  const std::uint16_t port = port_of(busy.get());
  const std::vector<ListenAddress> addresses = {{.host = "127.0.0.1", .port = port},
                                                {.host = "127.0.0.2", .port = port}};
  EXPECT_THROW(listen_on_first(addresses, false), Failure);
}

TEST(ServeHost, TakesANameWithSeveralAddressesInEitherOrder) {
  if (!test::may_enter_namespaces(CLONE_NEWNS)) {
    GTEST_SKIP() << "this machine does not permit: unshare --user --mount";
  }
  for (const char* const text : {"::1 localhost\n127.0.0.1 localhost\n",
                                 "127.0.0.1 localhost\n::1 localhost\n", "127.0.0.1 localhost\n"}) {
    const File hosts(text);
    const auto with_hosts = [&] {
      test::enter_namespaces(CLONE_NEWNS);
      test::mount_over(hosts.path(), "/etc/hosts");
    };
    for (const char* const threads : {"1", "2"}) {
      test::ServerProcess server({"--host", "localhost", "--threads", threads},
                                 {.prepare = with_hosts});
      ASSERT_TRUE(server.listens()) << server.errors();
      EXPECT_EQ(server.address().find("localhost"), std::string::npos)
          << "it prints the address it listens on: " << server.address();
      EXPECT_TRUE(Client(server.address()).ping());
      EXPECT_EQ(server.errors(), "");
    }
  }
}

TEST(ServeHost, ServesOnTheLoopbackOfIpv6) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no ::1";
  for (const std::string threading : {"single", "reuseport", "shared", "acceptor", "half-sync"}) {
    const std::string host = threading == "shared" ? "[::1]" : "::1";
    test::ServerProcess server(
        {"--host", host, "--threads", threading == "single" ? "1" : "2", "--threading", threading});
    ASSERT_TRUE(server.listens()) << server.errors();
    EXPECT_TRUE(server.address().starts_with("[::1]:")) << server.address();
    EXPECT_TRUE(Client(server.address()).ping());
    EXPECT_EQ(server.errors(), "");
  }
}

TEST(ServeHost, WarnsWhereEveryoneCanConnect) {
  std::vector<std::string> hosts = {"0.0.0.0", "0"};
  if (has_ipv6()) hosts.emplace_back("::");
  for (const std::string& host : hosts) {
    test::ServerProcess server({"--host", host});
    ASSERT_TRUE(server.listens()) << server.errors();
    EXPECT_EQ(server.errors(),
              fmt::format("muxlab: --host {}: every host that reaches this machine can connect; "
                          "127.0.0.1 and ::1 are for this machine alone\n",
                          host));
  }
}

TEST(ServePort, SaysThatNoneIsLeft) {
  if (!test::may_enter_namespaces(CLONE_NEWNET)) {
    GTEST_SKIP() << "this machine does not permit: unshare --user --net";
  }
  const auto without_ports = [] {
    test::enter_namespaces(CLONE_NEWNET);
    test::write_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000");
    const int only = ::socket(AF_INET, SOCK_STREAM, 0);  // open in the server too
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(40'000);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    test::require(::bind(only, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 &&
                  ::listen(only, 1) == 0);
  };
  for (const char* const threads : {"1", "2"}) {
    test::ServerProcess server({"--threads", threads}, {.prepare = without_ports});
    EXPECT_FALSE(server.listens());
    EXPECT_EQ(server.wait(), 3);
    EXPECT_EQ(server.errors(),
              "muxlab: no port is left in 40000-40000: end connections, or choose a port with "
              "--port\n");
  }
}

/// Returns true when that process has its own network namespace and a datagram is pending there.
bool has_datagram(const test::ServerProcess& server) {
  const auto network_of = [](const std::filesystem::path& process) {
    std::error_code error;
    return std::filesystem::read_symlink(process / "ns" / "net", error);
  };
  if (network_of(server.proc()) == network_of("/proc/self")) return false;
  std::ifstream sockets(server.proc() / "net" / "udp");
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues;
    fields >> slot >> local >> remote >> state >> queues;
    const auto colon = queues.find(':');
    if (colon == std::string::npos || slot == "sl") continue;
    if (std::stoul(queues.substr(colon + 1), nullptr, 16) > 0) return true;
  }
  return false;
}

TEST(ServeStart, EndsAtOnceWhileANameServerIsSilent) {
  if (!test::may_enter_namespaces(CLONE_NEWNET | CLONE_NEWNS)) {
    GTEST_SKIP() << "this machine does not permit: unshare --user --net --mount";
  }
  const File resolver("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n");
  const File services("hosts: dns\n");
  const auto with_silent_server = [&] {
    test::enter_namespaces(CLONE_NEWNET | CLONE_NEWNS);
    test::mount_over(resolver.path(), "/etc/resolv.conf");
    test::mount_over(services.path(), "/etc/nsswitch.conf");
    const int silent = ::socket(AF_INET, SOCK_DGRAM, 0);  // open in the server too
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(53);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    test::require(::bind(silent, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  };
  for (const int signal : {SIGTERM, SIGINT}) {
    test::ServerProcess server({"--host", "name.example"}, {.prepare = with_silent_server});
    ASSERT_TRUE(eventually([&] { return has_datagram(server); })) << server.errors();
    server.signal(SIGUSR1);  // there are no counters yet
    server.signal(signal);
    const int exit_code = server.wait().value_or(0);  // long before the resolver gives up
    EXPECT_TRUE(exit_code == -signal || exit_code == 128 + signal) << exit_code;
  }
}

}  // namespace
}  // namespace muxlab
