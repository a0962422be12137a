#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"
#include "tutorial/programs/test_tutorial.hpp"

/// What every echo server of the tutorial does, however it waits.
namespace muxlab::test {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMiB = 1 << 20;

struct EchoServer {
  const char* name;
  bool serves_many = true;
  bool answers_in_capitals = false;
};

// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for
void PrintTo(const EchoServer& server, std::ostream* out) { *out << server.name; }

class TutorialEcho : public testing::TestWithParam<EchoServer> {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.listens()) << server_.errors(); }
  void TearDown() override {
    server_.signal(SIGTERM);
    EXPECT_EQ(server_.wait(kLong), 0) << server_.errors();
  }

  [[nodiscard]] Client connect() const { return Client(server_.address()); }

  [[nodiscard]] static std::string answer_to(std::string text) {
    if (GetParam().answers_in_capitals) {
      std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    }
    return text;
  }

  ServerProcess server_{{"0"}, tutorial_server(GetParam().name)};
};

TEST_P(TutorialEcho, OneByte) {
  const Client client = connect();
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(1), answer_to("x"));
}

TEST_P(TutorialEcho, OneMebibyteAndAgain) {
  const Client client = connect();
  for (const std::uint64_t seed : {1U, 2U}) {
    const std::string data = random_bytes(kMiB, seed);
    EXPECT_TRUE(client.exchange(data) == answer_to(data)) << "bytes differ";
  }
}

TEST_P(TutorialEcho, HalfCloseStillGetsEverything) {
  const Client client = connect();
  const std::string data = random_bytes(kMiB, 3);
  std::thread sender([&] {
    static_cast<void>(client.send(data));
    client.end_sending();
  });
  EXPECT_TRUE(client.receive(data.size()) == answer_to(data)) << "bytes differ";
  sender.join();
  EXPECT_TRUE(client.at_end());
}

TEST_P(TutorialEcho, NothingAtAll) {
  const Client client = connect();
  client.end_sending();
  EXPECT_TRUE(client.at_end());
}

/// Sends until the server takes no more; it has to stop some time, or its memory would be full.
std::size_t send_without_reading(const Client& client, std::string_view data) {
  std::size_t sent = 0;
  while (sent < data.size()) {
    pollfd room{.fd = client.fd(), .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 200) == 0) break;
    const ssize_t taken =
        ::send(client.fd(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken > 0) sent += static_cast<std::size_t>(taken);
  }
  return sent;
}

TEST_P(TutorialEcho, ClientThatDoesNotReadIsHeldBackAndLosesNothing) {
  const Client slow = connect();
  const std::string data = random_bytes(64 * kMiB, 4);
  const std::size_t sent = send_without_reading(slow, data);
  ASSERT_LT(sent, data.size()) << "the server takes whatever comes";
  if (GetParam().serves_many) {
    EXPECT_TRUE(connect().ping());
  }
  slow.end_sending();
  EXPECT_TRUE(slow.receive(sent) == answer_to(data.substr(0, sent))) << "bytes differ";
  EXPECT_TRUE(slow.at_end());
}

TEST_P(TutorialEcho, ResetIsSurvived) {
  Client reset = connect();
  ASSERT_TRUE(reset.send(random_bytes(kMiB, 5)));
  reset.reset();
  EXPECT_TRUE(connect().ping());
}

TEST_P(TutorialEcho, ResetWithUnsentBytesIsSurvived) {
  Client reset = connect();
  send_without_reading(reset, random_bytes(64 * kMiB, 6));
  reset.reset();
  EXPECT_TRUE(connect().ping());
}

TEST_P(TutorialEcho, KeepsNoDescriptor) {
  ASSERT_TRUE(connect().ping());
  ASSERT_TRUE(eventually([&] { return server_.descriptors() < 10; }));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(connect().ping());
  EXPECT_TRUE(eventually([&] { return server_.descriptors() < 10; }));
}

TEST_P(TutorialEcho, ManyClientsAtOnce) {
  if (!GetParam().serves_many) GTEST_SKIP() << "it serves one client at a time";
  std::vector<Client> clients;
  clients.reserve(50);
  for (int i = 0; i < 50; ++i) clients.push_back(connect());
  for (const Client& client : clients) ASSERT_TRUE(client.send("a" + std::to_string(client.fd())));
  for (const Client& client : clients) {
    const std::string text = answer_to("a" + std::to_string(client.fd()));
    EXPECT_EQ(client.receive(text.size()), text);
  }
}

TEST_P(TutorialEcho, StopsWithOpenConnections) {
  const Client idle = connect();
  ASSERT_TRUE(idle.send("?"));
  ASSERT_EQ(idle.receive(1), "?");
  server_.signal(SIGINT);
  EXPECT_EQ(server_.wait(kLong), 0) << server_.errors();
}

TEST_P(TutorialEcho, PortThatIsTakenAndPortThatIsNone) {
  const std::string program = tutorial_program(GetParam().name);
  const Outcome taken = run_command(program + " " + server_.port() + " 2>&1");
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_THAT(taken.output, HasSubstr(GetParam().name));
  for (const char* const port : {"http", "70000", "-1", "80x", "0 0", "''"}) {
    const Outcome none = run_command(program + " " + port + " 2>&1");
    EXPECT_EQ(none.exit_code, 1) << port;
    EXPECT_THAT(none.output, HasSubstr("takes one port, a number from 0 to 65535"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, TutorialEcho,
    testing::Values(EchoServer{.name = "blocking_echo", .serves_many = false},
                    EchoServer{.name = "thread_echo"}, EchoServer{.name = "busy_echo"},
                    EchoServer{.name = "buffered_echo"}, EchoServer{.name = "event_echo"},
                    EchoServer{.name = "bufferevent_echo"},
                    EchoServer{.name = "filter_echo", .answers_in_capitals = true}),
    [](const auto& server) { return std::string(server.param.name); });

}  // namespace
}  // namespace muxlab::test
