#include <thread>

#include "server/faults/faults.hpp"

/// Tests the end of the whole server, and its restart.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, H44EndsByTheDrainTimeWithClientsThatAreStuck) {
  const auto bound = 200ms + soon(250);
  const auto needed = least(bound, [&] {
    start({"--drain", "200ms"});
    const Client idle = connect();
    EXPECT_TRUE(idle.ping());
    const Client stuck = connect(kSmallBuffer);
    push_until_stuck(stuck, random_bytes(16 << 20, 1));
    return time_to_end(SIGTERM, 0);
  });
  EXPECT_GE(needed, 200ms);
  EXPECT_LE(needed, bound);
}

TEST_P(Faults, H44EndsAsSoonAsItsClientsAreDone) {
  start({"--drain", "60m"});
  const Client client = connect();
  const std::string sent = random_bytes(1'000'000, 2);
  std::thread sender([&] { static_cast<void>(client.send(sent)); });
  EXPECT_TRUE(client.receive(sent.size()) == sent);
  sender.join();
  server().signal(SIGTERM);
  EXPECT_TRUE(client.at_end());
  client.end_sending();
  EXPECT_EQ(server().wait(), 0) << server().errors();
}

TEST_P(Faults, H44EndsAtOnceAtTheSecondSignal) {
  const auto needed = least(soon(250), [&] {
    start({"--drain", "60m"});
    const Client client = connect();
    EXPECT_TRUE(client.ping());
    server().signal(SIGTERM);
    EXPECT_TRUE(client.at_end());
    return time_to_end(SIGINT, 130);
  });
  EXPECT_LE(needed, soon(250));
}

TEST_P(Faults, H44EndsWhenItIsToldToWhileItStarts) {
  for (int i = 0; i < 10; ++i) {
    test::ServerProcess server(options(), surroundings());
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    server.signal(SIGTERM);
    const auto exit_code = server.wait();
    EXPECT_TRUE(exit_code == 0 || exit_code == -SIGTERM) << exit_code.value_or(-1000);
    EXPECT_EQ(server.errors().find("Sanitizer"), std::string::npos) << server.errors();
  }
}

TEST_P(Faults, H44EndsWhenItHasRunOutOfDescriptors) {
  plan_->accept_singly = true;
  allow_a_log_line_per_second();
  const auto bound = 200ms + soon(250);
  const auto needed = least(bound, [&] {
    start({"--drain", "200ms"});
    server().limit_descriptors(server().descriptors() + 5);
    const std::vector<Client> clients = ask(20);
    EXPECT_TRUE(eventually([&] { return !server().errors().empty(); }));
    return time_to_end(SIGTERM, 0);
  });
  EXPECT_LE(needed, bound);
}

TEST_P(Faults, H45ServesWhatWaitsToBeAcceptedWhenItStops) {
  start({"--drain", "60m"});
  std::vector<Client> clients;
  {
    const Stopped stopped(server());
    clients = ask(kTakesPerTurn + 50);
    server().signal(SIGTERM);
  }
  for (const Client& client : clients) {
    EXPECT_EQ(client.receive(1), "?");
    EXPECT_TRUE(client.at_end());
  }
  clients.clear();
  EXPECT_EQ(server().wait(), 0) << server().errors();
}

TEST_P(Faults, H46StartsAgainOnTheSamePortAtOnce) {
  const std::string port = test::lasting_port();
  start({"--drain", "0s", "--port", port});
  const Client client = connect();
  ASSERT_TRUE(client.ping());
  const std::string address = server().address();

  std::vector<std::string> same_port = options();
  same_port.insert(same_port.end(), {"--port", port});
  {
    test::ServerProcess second(same_port, surroundings());
    EXPECT_FALSE(second.listens());
    EXPECT_EQ(second.wait(), 3);
    EXPECT_NE(second.errors().find("busy"), std::string::npos) << second.errors();
  }
  expect_end(SIGTERM, 0, soon(2000));  // it ends a connection, whose port stays in TIME_WAIT
  test::ServerProcess third(same_port, surroundings());
  ASSERT_TRUE(third.listens()) << third.errors();
  EXPECT_EQ(third.address(), address);
  EXPECT_TRUE(Client(address).ping());
}

}  // namespace
}  // namespace muxlab::faults
