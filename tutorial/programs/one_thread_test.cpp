#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "server/testing/server_process.hpp"
#include "tutorial/programs/test_tutorial.hpp"

/// What the first servers of the tutorial show beside the echo: who waits, and for what.
namespace muxlab::test {
namespace {

TEST(TutorialBlockingEcho, OthersWaitUntilTheClientIsOver) {
  ServerProcess server({"0"}, tutorial_server("blocking_echo"));
  ASSERT_TRUE(server.listens());
  Client first(server.address());
  ASSERT_TRUE(first.ping());
  EXPECT_EQ(server.line(), "client 1: its turn");
  const Client second(server.address());
  const Client third(server.address());
  ASSERT_TRUE(second.send("?"));
  ASSERT_TRUE(third.send("?"));
  ASSERT_TRUE(first.ping());
  EXPECT_FALSE(second.has_input());
  EXPECT_FALSE(third.has_input());
  first.close();
  EXPECT_EQ(server.line(), "client 1: over, 2 bytes echoed; 2 more wait");
  EXPECT_EQ(second.receive(1), "?");
  EXPECT_EQ(server.line(), "client 2: its turn");
  EXPECT_FALSE(third.has_input());
  second.end_sending();
  EXPECT_EQ(server.line(), "client 2: over, 1 bytes echoed; 1 more wait");
  EXPECT_EQ(third.receive(1), "?");
}

TEST(TutorialBusyEcho, UsesTheProcessorWithNothingToDoAndSaysSo) {
  ServerProcess server({"0"}, tutorial_server("busy_echo"));
  ASSERT_TRUE(server.listens());
  const Client idle(server.address());
  ASSERT_TRUE(idle.ping());
  const auto before = server.cpu_time();
  EXPECT_TRUE(
      eventually([&] { return server.cpu_time() - before > std::chrono::milliseconds(20); }));
  server.signal(SIGTERM);
  std::uint64_t made = 0;
  std::uint64_t in_vain = 0;
  const std::string line = server.line();
  ASSERT_EQ(std::sscanf(line.c_str(), "made %lu calls, %lu of them in vain", &made, &in_vain), 2)
      << line;
  // Not in vain: to accept the client, to receive its byte and to send it back.
  EXPECT_EQ(made - in_vain, 3U);
  EXPECT_GT(in_vain, 100U);
  EXPECT_EQ(server.wait(kLong), 0);
}

TEST(TutorialBufferedEcho, TellsWhatItsBufferHeld) {
  ServerProcess server({"0"}, tutorial_server("buffered_echo"));
  ASSERT_TRUE(server.listens());
  Client client(server.address());
  ASSERT_EQ(client.exchange("hello"), "hello");
  client.close();
  EXPECT_EQ(server.line(), "connection 1: 5 bytes echoed, at most 5 were in its output buffer");
}

TEST(TutorialThreadEcho, WhenAllPlacesAreTakenTheNextClientWaits) {
  Surroundings few = tutorial_server("thread_echo");
  few.descriptors = 18;  // two more than it keeps for the rest
  ServerProcess server({"0"}, few);
  ASSERT_TRUE(server.listens());
  Client first(server.address());
  const Client second(server.address());
  const Client third(server.address());
  ASSERT_TRUE(first.ping());
  ASSERT_TRUE(second.ping());
  ASSERT_TRUE(third.send("?"));
  ASSERT_TRUE(second.ping());
  EXPECT_FALSE(third.has_input());
  first.close();
  EXPECT_EQ(third.receive(1), "?");
}

TEST(TutorialEventEcho, SurvivesThatDescriptorsRunOut) {
  Surroundings few = tutorial_server("event_echo");
  few.descriptors = 12;
  ServerProcess server({"0"}, few);
  ASSERT_TRUE(server.listens());
  std::vector<Client> clients;
  clients.reserve(20);
  for (int i = 0; i < 20; ++i) clients.emplace_back(server.address());
  ASSERT_TRUE(clients.front().ping());
  ASSERT_TRUE(clients.back().send("?"));
  // Those who wait are served as soon as others are over.
  for (Client& client : clients) {
    if (&client != &clients.back()) client.close();
  }
  EXPECT_EQ(clients.back().receive(1), "?");
}

}  // namespace
}  // namespace muxlab::test
