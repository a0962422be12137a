#include <fstream>
#include <thread>

#include "server/faults/faults.hpp"

/// Clients that do not read, or slowly.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, E31HoldsOneBufferForAClientThatDoesNotRead) {
  start();
  const Client client = connect(kSmallBuffer);
  const std::string sent = random_bytes(16 << 20, 1);
  const std::size_t pushed = push_until_stuck(client, sent);
  ASSERT_LT(pushed, sent.size()) << "it takes whatever it is sent";
  const auto stats = server().stats();
  EXPECT_LE(stats["bytes_in"].get<std::uint64_t>() - stats["bytes_out"].get<std::uint64_t>(),
            kBufferSize);
  EXPECT_TRUE(client.receive(pushed) == std::string_view(sent).substr(0, pushed));
  EXPECT_TRUE(client.ping());
}

std::size_t resident_bytes(const test::ServerProcess& server) {
  std::ifstream statm(server.proc() / "statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_P(Faults, E32HoldsOneBufferForEachOfManyThatDoNotRead) {
  start();
  const auto clients_count = static_cast<std::size_t>(repeat(100, 900));
  const std::size_t before = resident_bytes(server());
  const std::string much = random_bytes(8 << 20, 2);
  std::vector<Client> clients;
  for (std::size_t i = 0; i < clients_count; ++i) {
    clients.push_back(connect(kSmallBuffer));
    // Small buffers in the kernel too: it is the server's memory that is looked at.
    const int small = 4096;
    ::setsockopt(clients.back().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    static_cast<void>(::send(clients.back().fd(), much.data(), much.size(), MSG_DONTWAIT));
  }
  for (int round = 0; round < 20; ++round) {  // as much as each one takes, in turn
    for (const Client& client : clients) {
      static_cast<void>(::send(client.fd(), much.data(), much.size(), MSG_DONTWAIT));
    }
  }
  const std::size_t allowed = clients_count * kBufferSize + (10 << 20);
  EXPECT_LE(resident_bytes(server()), before + allowed * (MUXLAB_SLOWNESS > 1 ? 4 : 1));
}

TEST_P(Faults, E33WaitsWithoutWorkWhileNeitherSideReads) {
  start();
  const Client client = connect(kSmallBuffer);
  const std::string sent = random_bytes(16 << 20, 3);
  const std::size_t pushed = push_until_stuck(client, sent);
  EXPECT_TRUE(settles_at(0.01));
  EXPECT_TRUE(client.receive(pushed) == std::string_view(sent).substr(0, pushed));
}

TEST_P(Faults, E34KeepsAClientThatSendsAByteNowAndThen) {
  start({"--idle-timeout", "1s"});
  const Client client = connect();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(client.ping());
    std::this_thread::sleep_for(300ms);
  }
  EXPECT_TRUE(client.ping()) << "after nearly two time-outs";
}

TEST_P(Faults, E35ServesOthersBesideAClientThatIsStuck) {
  start();
  const Client stuck = connect(kSmallBuffer);
  push_until_stuck(stuck, random_bytes(16 << 20, 4));
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 50; ++i) {
    const auto sent = std::chrono::steady_clock::now();
    ASSERT_TRUE(serves());
    waits.push_back(std::chrono::steady_clock::now() - sent);
  }
  std::ranges::sort(waits);
  EXPECT_LE(waits[waits.size() / 2], soon(50));
}

}  // namespace
}  // namespace muxlab::faults
