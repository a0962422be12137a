#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "backends/controls/oracle_board.hpp"
#include "server/server.hpp"
#include "server/testing/client.hpp"

/// Tests the oracle while a client reports ready connections. Without reports the conformance tests
/// cover it.
namespace muxlab {
namespace {

using test::Client;
using test::eventually;

std::string new_board() {
  static int count = 0;
  return fmt::format("{}/muxlab-oracle-{}-{}", testing::TempDir(), ::getpid(), ++count);
}

ServeOptions reports_from(const std::string& board) {
  ServeOptions options;
  options.oracle = board;
  options.drain = {};
  return options;
}

/// A server on the oracle, and the board on which a client reports.
class Oracle : public testing::Test {
 protected:
  /// Returns the descriptor of the connection at the server; zero before the server publishes it.
  std::uint32_t at_server(const Client& client) {
    const auto published = board.published();
    const auto found = published.find(name_of_socket(client.fd()));
    return found == published.end() ? 0 : found->second;
  }
  [[nodiscard]] const WorkerStats& stats() const { return server.stats()[0]; }

  std::string path = new_board();
  OracleBoard board = OracleBoard::create(path);
  Server server{*find_backend("oracle"), reports_from(path)};
};

TEST_F(Oracle, MakesTwoSystemCallsPerEchoAndNoneInVain) {
  constexpr std::uint64_t kRounds = 100;
  std::vector<Client> clients;
  std::vector<std::uint32_t> reported;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(server.address());
    ASSERT_TRUE(clients.back().ping());
    reported.push_back(at_server(clients.back()));
    ASSERT_GT(reported.back(), 0U);
  }
  ASSERT_TRUE(board.begin_reporting());
  const auto round = [&] {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      ASSERT_TRUE(clients[i].send("?"));
      board.report(reported[i]);
    }
    for (const Client& client : clients) ASSERT_EQ(client.receive(1), "?");
  };
  round();  // ends the wait that began without a reporting client

  const auto begin = std::chrono::steady_clock::now();
  std::array<std::uint64_t, kCallNames.size()> made{};
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = 0 - stats().calls[i].get();
  for (std::uint64_t i = 0; i < kRounds; ++i) round();
  for (std::size_t i = 0; i < made.size(); ++i) made[i] += stats().calls[i].get();
  const auto took = std::chrono::steady_clock::now() - begin;

  const std::uint64_t echoes = kRounds * clients.size();
  EXPECT_EQ(made[static_cast<std::size_t>(Call::read)], echoes)
      << "a receive that returns EAGAIN would add one";
  EXPECT_EQ(made[static_cast<std::size_t>(Call::write)], echoes);
  EXPECT_EQ(made[static_cast<std::size_t>(Call::ctl)], 0U);
  EXPECT_EQ(made[static_cast<std::size_t>(Call::accept)], 0U);
  EXPECT_EQ(made[static_cast<std::size_t>(Call::other)], 0U);
  EXPECT_LE(made[static_cast<std::size_t>(Call::wait)],
            static_cast<std::uint64_t>(took / std::chrono::milliseconds(100)) + 1)
      << "it polls epoll(7) ten times a second";
}

TEST_F(Oracle, AlsoSeesWhatNobodyTellsOf) {
  Client first(server.address());
  ASSERT_TRUE(first.ping());
  ASSERT_TRUE(board.begin_reporting());
  Client second(server.address());
  EXPECT_TRUE(second.ping()) << "it ignores the board when the client is silent too long";
  EXPECT_FALSE(board.is_reporting());
  board.report(at_server(first));
  EXPECT_TRUE(board.is_reporting()) << "a new report makes the board valid again";
  first.close();
  second.reset();
  EXPECT_TRUE(eventually([&] { return stats().closed.get() == 2; }));
}

TEST_F(Oracle, IsNotMisledByNonsense) {
  const Client client(server.address());
  ASSERT_TRUE(client.ping());
  ASSERT_TRUE(board.begin_reporting());
  for (std::uint32_t fd = 0; fd < 100; ++fd) board.report(fd);  // also its flags and timers
  board.report(OracleBoard::kDescriptors);
  board.report(~0U);
  const std::uint32_t reported = at_server(client);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send("?"));
    board.report(reported);
    ASSERT_EQ(client.receive(1), "?");
  }
  board.end_reporting();
  EXPECT_TRUE(client.ping());
}

TEST_F(Oracle, StopsWhileItIsTold) {
  Client client(server.address());
  ASSERT_TRUE(client.ping());
  ASSERT_TRUE(board.begin_reporting());
  board.report(at_server(client));
  server.stop();
  EXPECT_EQ(stats().closed.get(), 1U);
}

TEST(OracleBoardFile, IsToldByOneClientOnly) {
  const std::string path = new_board();
  OracleBoard board = OracleBoard::create(path);
  ASSERT_TRUE(board.begin_reporting());
  EXPECT_FALSE(OracleBoard::open(path).begin_reporting());
}

TEST(OracleBoardFile, IsToldBeforeItsServerWaits) {
  const std::string path = new_board();
  OracleBoard board = OracleBoard::create(path);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(board.begin_reporting());
  Server server(*find_backend("oracle"), reports_from(path));
  const Client client(server.address());
  EXPECT_TRUE(eventually([&] { return server.stats()[0].accepted.get() == 1; }));
  const auto passed = std::chrono::steady_clock::now() - began;
  EXPECT_TRUE(board.is_reporting() || passed > std::chrono::seconds(1)) << "silence is a second";
}

TEST(OracleBoardFile, IsNotTakenFromAServerThatUsesIt) {
  const std::string path = new_board();
  {
    const OracleBoard board = OracleBoard::create(path);
    EXPECT_THROW(OracleBoard::create(path), Failure);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(OracleBoardFile, IsReplacedWhenItsServerWasKilled) {
  const std::string path = new_board();
  const pid_t child = ::fork();
  if (child == 0) {
    const OracleBoard board = OracleBoard::create(path);
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(std::filesystem::exists(path));
  const OracleBoard board = OracleBoard::create(path);
  EXPECT_NO_THROW(OracleBoard::open(path));
}

TEST(OracleBoardFile, IsNotPutWhereSomethingElseIs) {
  const std::string path = new_board();
  std::ofstream(path) << "precious";
  EXPECT_THROW(OracleBoard::create(path), Failure);
  EXPECT_THROW(OracleBoard::open(path), Failure);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
  std::filesystem::remove(path);
  EXPECT_THROW(OracleBoard::open(path), Failure);
}

}  // namespace
}  // namespace muxlab
