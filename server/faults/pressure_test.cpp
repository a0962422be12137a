#include <cerrno>
#include <fstream>
#include <thread>

#include "server/faults/faults.hpp"

/// Tests clients that read slowly or not at all.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, E31HoldsOneBufferForAClientThatDoesNotRead) {
  start();
  const Client client = connect(kSmallBuffer);
  const std::string sent = random_bytes(16 << 20, 1);
  const std::size_t pushed = push_until_stuck(client, sent);
  ASSERT_LT(pushed, sent.size()) << "it receives without bound";
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
  std::vector<Client> clients;
  for (std::size_t i = 0; i < clients_count; ++i) clients.push_back(connect());
  for (const Client& client : clients) ASSERT_TRUE(client.ping());
  const std::size_t before = resident_bytes(server());
  plan_[Site::send].fail(EAGAIN);  // as if each had filled the megabytes of socket buffers
  const std::string much = random_bytes(8 * kBufferSize, 2);
  for (const Client& client : clients) {
    ASSERT_GT(::send(client.fd(), much.data(), much.size(), MSG_DONTWAIT), 0);
  }
  const auto held = [&] {
    const auto stats = server().stats();
    return stats["bytes_in"].get<std::size_t>() - stats["bytes_out"].get<std::size_t>();
  };
  EXPECT_TRUE(eventually([&] { return held() >= clients_count * kBufferSize / 2; }));
  EXPECT_LE(held(), clients_count * kBufferSize);
  // libevent rounds the allocation of a buffer, its header included, up to a power of two.
  const std::size_t buffer = kBufferSize * (cell().backend->name == "bufferevent" ? 2 : 1);
  const std::size_t allowed = clients_count * buffer + (10 << 20);
  if (slowness() == 1) {  // a sanitizer needs shadow memory
    EXPECT_LE(resident_bytes(server()), before + allowed);
  }
  plan_[Site::send].stop_failing();
  for (Client& client : clients) client.reset();  // also the edge that follows EAGAIN
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
  start({"--idle-timeout", "2s"});
  const Client client = connect();
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(client.ping());
    std::this_thread::sleep_for(300ms);
  }
  EXPECT_TRUE(client.ping()) << "after more than a time-out";
}

TEST_P(Faults, E35ServesOthersBesideAClientThatIsStuck) {
  start();
  const Client stuck = connect(kSmallBuffer);
  push_until_stuck(stuck, random_bytes(16 << 20, 4));
  const auto median = least(soon(50), [&] {
    std::vector<std::chrono::nanoseconds> waits;
    for (int i = 0; i < 50; ++i) {
      const auto sent = std::chrono::steady_clock::now();
      EXPECT_TRUE(serves());
      waits.push_back(std::chrono::steady_clock::now() - sent);
    }
    std::ranges::sort(waits);
    return waits[waits.size() / 2];
  });
  EXPECT_LE(median, soon(50));
}

}  // namespace
}  // namespace muxlab::faults
