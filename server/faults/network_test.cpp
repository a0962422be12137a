#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "server/faults/faults.hpp"

/// Tests networks that lose packets, and that break.
namespace muxlab::faults {
namespace {

/// Moves the calling thread to a network of its own (unshare(2)), with only a loopback device.
/// Threads and processes that it starts meanwhile are in it too.
class Network {
 public:
  Network() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    entered_ = ::unshare(CLONE_NEWNET) == 0 && set_up(true);
  }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network() { ::setns(before_.get(), CLONE_NEWNET); }

  [[nodiscard]] bool entered() const { return entered_; }

  /// Switches the loopback device, the only device.
  static bool set_up(bool up) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    ::ioctl(socket.get(), SIOCGIFFLAGS, &request);
    const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    request.ifr_flags = static_cast<short>(flags);
    return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  }

  /// Adds an nftables(8) rule for incoming packets. Returns false when nft rejects it.
  static bool add_rule(const std::string& rule) {
    const std::string command = fmt::format(
        "nft 'add table inet t; add chain inet t in {{ type filter hook input priority 0; }}; "
        "add rule inet t in {}'",
        rule);
    return std::system(command.c_str()) == 0;
  }
  static bool remove_rules() { return std::system("nft delete table inet t") == 0; }

 private:
  UniqueFd before_;
  bool entered_ = false;
};

constexpr const char* kNoNetwork = "a network of its own needs root and nftables";

TEST_P(Faults, K57EchoesEveryByteOverANetworkThatLosesPackets) {
  const Network network;
  if (!network.entered()) GTEST_SKIP() << kNoNetwork;
  start();
  ASSERT_TRUE(Network::add_rule(
      fmt::format("tcp dport {} numgen random mod 100 < 3 counter drop", server().port())));
  std::vector<std::thread> clients;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const Client* const client = new Client(connect());
    clients.emplace_back([client, seed] {
      const std::unique_ptr<const Client> owned(client);
      const std::string sent = random_bytes(300'000, seed);
      EXPECT_TRUE(client->exchange(sent) == sent);
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(Network::remove_rules());
}

TEST_P(Faults, K57OutlivesConnectionsThatTheNetworkResets) {
  const Network network;
  if (!network.entered()) GTEST_SKIP() << kNoNetwork;
  start({"--idle-timeout", "500ms"});
  std::vector<Client> victims;
  for (int i = 0; i < 10; ++i) {
    victims.push_back(connect());
    ASSERT_TRUE(victims.back().ping());
  }
  ASSERT_TRUE(
      Network::add_rule(fmt::format("tcp dport {} reject with tcp reset", server().port())));
  for (const Client& victim : victims) {
    // The server does not see this reset, so only its idle time-out ends the connection. On a busy
    // machine that may happen before this send.
    static_cast<void>(victim.send("into the wall"));
    EXPECT_TRUE(victim.is_cut_off());
  }
  ASSERT_TRUE(Network::remove_rules());
  EXPECT_TRUE(serves());
}

TEST_P(Faults, K57ReclaimsConnectionsWhenTheLinkIsCut) {
  const Network network;
  if (!network.entered()) GTEST_SKIP() << kNoNetwork;
  start({"--idle-timeout", "200ms"});
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().ping());
  }
  ASSERT_TRUE(Network::set_up(false));
  EXPECT_TRUE(eventually([&] { return count("closed") == 10; }));
  ASSERT_TRUE(Network::set_up(true));
  EXPECT_TRUE(serves());
}

}  // namespace
}  // namespace muxlab::faults
