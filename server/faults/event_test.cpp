#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "server/faults/faults.hpp"

/// Which connection an event is for.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, D25NeverTakesAReusedDescriptorForTheOneBefore) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(connect());
  const int rounds = repeat(20, 500);
  std::mt19937 random(1);
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> sent;
    {
      const Stopped stopped(server());  // one batch: data, ends, and new ones on the same numbers
      std::ranges::shuffle(clients, random);
      for (int i = 0; i < 16; ++i) {
        static_cast<void>(clients.back().send("not to be seen by others"));
        clients.back().reset();
        clients.pop_back();
      }
      for (int i = 0; i < 16; ++i) clients.push_back(connect());
      for (std::size_t i = 0; i < clients.size(); ++i) {
        sent.push_back(random_bytes(24, static_cast<std::uint64_t>(round) * 100 + i));
        ASSERT_TRUE(clients[i].send(sent.back()));
      }
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      ASSERT_TRUE(clients[i].receive(24) == sent[i]) << "round " << round;
    }
  }
}

TEST_P(Faults, D26ClosesTheIdleWhileTheyBecomeActive) {
  start({"--idle-timeout", "20ms"});
  const auto connections = static_cast<unsigned>(repeat(3, 15));
  std::vector<std::thread> clients;
  for (unsigned seed = 0; seed < 8; ++seed) {
    clients.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (unsigned i = 0; i < connections; ++i) {
        const Client client = connect();
        while (client.send("?") && client.receive(1) == "?") {
          // Around the time-out, so that activity and closing meet.
          std::this_thread::sleep_for(std::chrono::milliseconds(15 + random() % 20));
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(count("accepted"), 8U * connections);
}

TEST_P(Faults, D27PassesNoDescriptorOnToAnotherProgram) {
  start();
  const Client client = connect();
  ASSERT_TRUE(client.ping());
  for (const auto& entry : std::filesystem::directory_iterator(server().proc() / "fdinfo")) {
    const int fd = std::stoi(entry.path().filename());
    if (fd <= STDERR_FILENO) continue;
    std::ifstream info(entry.path());
    std::string key;
    unsigned flags = 0;
    while (info >> key && key != "flags:") {
    }
    info >> std::oct >> flags;
    EXPECT_TRUE(flags & O_CLOEXEC)
        << std::filesystem::read_symlink(server().proc() / "fd" / std::to_string(fd));
  }
}

std::set<int> descriptors_of(const test::ServerProcess& server) {
  std::set<int> all;
  for (const auto& entry : std::filesystem::directory_iterator(server.proc() / "fd")) {
    all.insert(std::stoi(entry.path().filename()));
  }
  return all;
}

/// The one that was not there before, of a connection: not always the highest, as it may have got a
/// number that something else had given back.
int new_descriptor(const test::ServerProcess& server, const std::set<int>& before) {
  for (const int fd : descriptors_of(server)) {
    if (!before.contains(fd)) return fd;
  }
  return 0;
}

TEST_P(Faults, D28DropsADescriptorThatWasClosedBehindItsBack) {
  const std::string_view name = cell().backend->name;
  if (name.starts_with("epoll") || name == "libevent-epoll" || name == "bufferevent" ||
      name == "libuv" || name == "asio") {
    GTEST_SKIP() << "epoll(7): closing a descriptor removes it; nothing is reported";
  }
  if (name == "libevent-select") {
    GTEST_SKIP() << "libevent ends its loop when select fails with EBADF";
  }
  if (has_thread_per_connection()) {
    GTEST_SKIP() << "nothing waits for the descriptor, and a receive that blocks keeps the socket";
  }
  start();
  const Client bystander = connect();
  ASSERT_TRUE(bystander.ping());
  {
    const std::set<int> before = descriptors_of(server());
    const Client victim = connect();
    ASSERT_TRUE(victim.ping());
    const int fd = new_descriptor(server(), before);
    ASSERT_GT(fd, 0);
    plan_->close_at_wait = fd;
    ASSERT_TRUE(bystander.ping());
    EXPECT_TRUE(eventually([&] { return plan_->close_at_wait == 0; }));
    static_cast<void>(victim.send("?"));  // another thread may be waiting still, for what was there
    EXPECT_TRUE(victim.is_cut_off());
  }
  EXPECT_TRUE(bystander.ping());
  // The number may come back before the server knows that it was gone.
  EXPECT_TRUE(eventually([&] { return serves(); }));
}

TEST_P(Faults, D29ManagesABatchInWhichEverythingChanges) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect());
  for (const Client& client : clients) ASSERT_TRUE(client.ping());
  for (int round = 0; round < 5; ++round) {
    {
      const Stopped stopped(server());
      for (int i = 0; i < 50; ++i) {  // some go, in either way ...
        const bool by_reset = i % 2 == 0;
        if (by_reset) clients.front().reset();
        clients.erase(clients.begin());
      }
      for (const Client& client : clients) ASSERT_TRUE(client.send("?"));  // ... some speak ...
      for (int i = 0; i < 50; ++i) {                                       // ... and some come
        clients.push_back(connect());
        ASSERT_TRUE(clients.back().send("?"));
      }
    }
    for (const Client& client : clients) ASSERT_EQ(client.receive(1), "?");
  }
}

TEST_P(Faults, D30NeverHasTwoThreadsOnOneConnection) {
  start();
  const Client client = connect();
  std::string sent;
  std::thread sender([&] {
    std::mt19937 random(2);
    for (int i = 0; i < repeat(3000, 20'000); ++i) {  // as many reports as can be
      const std::string piece = random_bytes(1 + random() % 64, random());
      ASSERT_TRUE(client.send(piece));
      sent += piece;
    }
    client.end_sending();
  });
  std::string echoed;
  for (std::string more; !(more = client.receive(512)).empty();) echoed += more;
  sender.join();
  EXPECT_TRUE(echoed == sent);
}

TEST_P(Faults, I51GoesOnWhenTheRingIsRefusedForAMoment) {
  if (!cell().backend->name.starts_with("io-uring")) GTEST_SKIP() << "there is no ring";
  start();
  const Client client = connect();
  const std::string sent = random_bytes(300'000, 1);
  for (const int error : {EINTR, EAGAIN, EBUSY}) {
    plan_[Site::enter].fail(error, 2);
    EXPECT_TRUE(client.exchange(sent) == sent) << error;
    EXPECT_TRUE(serves()) << error;
    EXPECT_GT(plan_[Site::enter].hits, 0U);
  }
  plan_[Site::enter].stop_failing();
}

TEST_P(Faults, I48ReceivesAgainWhenThereAreNoBuffersForAMoment) {
  if (cell().backend->name != "io-uring") GTEST_SKIP() << "there are no buffers to run out of";
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect());
  plan_[Site::receive].fail(ENOBUFS, 2);
  const std::string sent = random_bytes(100'000, 1);
  for (const Client& client : clients) {
    EXPECT_TRUE(client.ping());
    EXPECT_TRUE(client.exchange(sent) == sent);
  }
  EXPECT_GT(plan_[Site::receive].hits, 0U);
  plan_[Site::receive].stop_failing();
}

}  // namespace
}  // namespace muxlab::faults
