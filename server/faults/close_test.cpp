#include <linux/filter.h>
#include <poll.h>

#include <thread>

#include "server/faults/faults.hpp"

/// Tests the ends of a connection.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

/// Returns true when an echo is stuck in the server for 20 ms, not just about to be sent.
bool has_stuck_echo(test::ServerProcess& server) {
  const auto first = server.stats();
  for (int i = 0; i < 20; ++i) {
    const auto later = server.stats();
    if (later["bytes_in"] == later["bytes_out"]) return false;
    if (later["bytes_out"] != first["bytes_out"]) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST_P(Faults, C17ReturnsEveryByteToOneWhoHalfClosesAndReadsLate) {
  start();
  const Client client = connect(kSmallBuffer);
  const std::string sent = random_bytes(20'000'000, 1);
  const std::size_t pushed = push_until_stuck(client, sent);
  ASSERT_LT(pushed, sent.size());
  std::thread sender([&] {
    EXPECT_TRUE(client.send(std::string_view(sent).substr(pushed)));
    client.end_sending();
  });
  EXPECT_TRUE(client.receive(sent.size()) == sent);
  sender.join();
  EXPECT_TRUE(client.at_end());
}

TEST_P(Faults, C17ReturnsTheRestToOneWhoHalfClosesWhileThereIsNoRoom) {
  start();
  for (int round = 0; round < 5; ++round) {
    const Client client = connect();
    ASSERT_TRUE(client.ping());
    plan_[Site::send].fail(EAGAIN, 1, waits_for_edges() ? 1 : 200);
    {
      const Stopped stopped(server());
      ASSERT_TRUE(client.send("last words"));
      client.end_sending();
    }
    EXPECT_EQ(client.receive(10), "last words");
    EXPECT_TRUE(client.at_end());
    EXPECT_GT(plan_[Site::send].hits, 0U);
    plan_[Site::send].stop_failing();
  }
}

TEST_P(Faults, C17SeesTheEndThatComesWithTheData) {
  start();
  for (int round = 0; round < 5; ++round) {  // alone: no other event wakes the server
    const Client client = connect();
    ASSERT_TRUE(client.ping());
    {
      const Stopped stopped(server());
      ASSERT_TRUE(client.send("last words"));
      client.end_sending();
    }
    EXPECT_EQ(client.receive(10), "last words");
    EXPECT_TRUE(client.at_end());
  }
}

TEST_P(Faults, C18EndsAConnectionThatEndsAtOnce) {
  start();
  for (int i = 0; i < 50; ++i) {
    const Client client = connect();
    client.end_sending();
    ASSERT_TRUE(client.at_end());
  }
}

TEST_P(Faults, C19OutlivesAResetAtEveryStage) {
  start();
  const Client bystander = connect();
  const std::string much = random_bytes(8 << 20, 2);
  for (int round = 0; round < 5; ++round) {
    Client idle = connect();
    Client after_an_echo = connect();
    ASSERT_TRUE(after_an_echo.ping());
    Client with_unread_input = connect();
    ASSERT_TRUE(with_unread_input.send(much.substr(0, 100'000)));
    Client stuck = connect(kSmallBuffer);
    push_until_stuck(stuck, much);
    idle.reset();
    after_an_echo.reset();
    with_unread_input.reset();
    stuck.reset();
    EXPECT_TRUE(bystander.ping());
  }
  EXPECT_EQ(count("accepted"), 21U);
}

TEST_P(Faults, C19OutlivesAResetAfterTheEndOfTheStream) {
  start();
  const std::string piece = random_bytes(16384, 6);
  for (int round = 0; round < 2; ++round) {
    Client client = connect(kSmallBuffer);
    ASSERT_TRUE(eventually([&] {  // the server has an echo that it cannot send
      EXPECT_TRUE(client.send(piece));
      return has_stuck_echo(server());
    }));
    client.end_sending();
    client.reset();  // after an end of stream, sending causes EPIPE and SIGPIPE
    EXPECT_TRUE(serves());
  }
}

TEST_P(Faults, C20TakesDataAndTheEndInOneBatch) {
  start();
  for (int round = 0; round < 5; ++round) {
    std::vector<Client> clients;
    std::vector<Client> vanishing;
    for (int i = 0; i < 20; ++i) clients.push_back(connect());
    for (int i = 0; i < 20; ++i) vanishing.push_back(connect());
    for (const Client& client : clients) ASSERT_TRUE(client.ping());
    for (const Client& client : vanishing) ASSERT_TRUE(client.ping());
    {
      const Stopped stopped(server());
      for (const Client& client : clients) {
        ASSERT_TRUE(client.send("last words"));
        client.end_sending();
      }
      for (Client& client : vanishing) {
        ASSERT_TRUE(client.send("last words"));
        client.reset();
      }
    }
    for (const Client& client : clients) {
      ASSERT_EQ(client.receive(10), "last words");
      ASSERT_TRUE(client.at_end());
    }
  }
}

TEST_P(Faults, C21LosesNothingThatItTookWhenItEndsFirst) {
  start({"--drain", "60m"});
  const Client client = connect(kSmallBuffer);
  const std::string sent = random_bytes(20'000'000, 3);
  const std::size_t pushed = push_until_stuck(client, sent);
  server().signal(SIGTERM);
  std::thread sender([&] {  // still sends, though the server has half-closed
    static_cast<void>(client.send(std::string_view(sent).substr(pushed)));
  });
  std::string echoed;
  for (std::string more; !(more = client.receive(1 << 16)).empty();) echoed += more;
  EXPECT_TRUE(client.at_end()) << "a reset";
  sender.join();
  client.end_sending();
  EXPECT_EQ(server().wait(), 0) << server().errors();
  EXPECT_TRUE(sent.starts_with(echoed));
  EXPECT_GE(echoed.size(), kBufferSize);
  const auto stats = nlohmann::json::parse(server().line(), nullptr, false);
  EXPECT_EQ(stats["bytes_in"], echoed.size());
}

/// The kernel resets a connection that receives data after close(2), but not after a half-close.
TEST_P(Faults, C21IsStillThereForAClientThatSendsAfterTheEnd) {
  start({"--drain", "60m"});
  const Client client = connect(kSmallBuffer);
  const std::string sent = random_bytes(20'000'000, 3);
  push_until_stuck(client, sent);
  server().signal(SIGTERM);
  std::string echoed;
  pollfd ended{.fd = client.fd(), .events = POLLRDHUP, .revents = 0};
  while (::poll(&ended, 1, 0) == 0) echoed += client.receive(4096);
  EXPECT_TRUE(client.send("into an echo that has ended"));
  EXPECT_TRUE(client.send("and more")) << "there was a reset";  // a read would see only the end
  for (std::string more; !(more = client.receive(1 << 16)).empty();) echoed += more;
  client.end_sending();
  EXPECT_EQ(server().wait(), 0) << server().errors();
  EXPECT_TRUE(sent.starts_with(echoed));
  const auto stats = nlohmann::json::parse(server().line(), nullptr, false);
  EXPECT_EQ(stats["bytes_in"], echoed.size());
}

TEST_P(Faults, C22DoesNotSpinWhenTheClientIsDoneButDoesNotRead) {
  start({"--drain", "60m"});
  const Client stuck = connect(kSmallBuffer);
  push_until_stuck(stuck, random_bytes(16 << 20, 4));
  stuck.end_sending();
  EXPECT_TRUE(settles_at(0.02));
  begin_stop();
  EXPECT_TRUE(settles_at(0.02)) << "while it drains";
  expect_end(SIGTERM, 143, soon(1000));
}

/// Cuts a client off from the network: it receives nothing, so it acknowledges nothing.
void vanish(const Client& client) {
  sock_filter drop_all{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program{.len = 1, .filter = &drop_all};
  checked(::setsockopt(client.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
          "setsockopt");
}

TEST_P(Faults, C23ReclaimsAConnectionWhosePeerVanished) {
  start({"--idle-timeout", "200ms"});
  Client silent = connect();
  Client owed = connect(kSmallBuffer);
  ASSERT_TRUE(silent.ping());
  push_until_stuck(owed, random_bytes(8 << 20, 5));
  vanish(silent);
  vanish(owed);
  EXPECT_TRUE(eventually([&] { return count("closed") == 2; }));
}

TEST_P(Faults, C24OutlivesASocketThatIsDestroyed) {
  if (::geteuid() != 0) GTEST_SKIP() << "destroying a socket needs root";
  start();
  const Client victim = connect();
  const Client bystander = connect();
  ASSERT_TRUE(victim.ping());
  sockaddr_in name{};
  socklen_t size = sizeof name;
  ASSERT_EQ(::getsockname(victim.fd(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  const std::string destroy = fmt::format("ss --kill --no-header src :{} dst :{} >/dev/null 2>&1",
                                          server().port(), ntohs(name.sin_port));
  ASSERT_EQ(std::system(destroy.c_str()), 0);
  EXPECT_TRUE(victim.is_cut_off());
  EXPECT_TRUE(bystander.ping());
  EXPECT_TRUE(eventually([&] { return count("closed") == 1; }));
}

}  // namespace
}  // namespace muxlab::faults
