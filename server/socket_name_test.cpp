#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "backends/controls/oracle_board.hpp"
#include "server/testing/client.hpp"
#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"

/// Tests the socket and board names that `serve` makes: it removes its own and no others.
namespace muxlab {
namespace {

namespace fs = std::filesystem;

using test::Client;
using test::eventually;

class SocketNames : public testing::Test {
 protected:
  SocketNames() {
    std::string name = testing::TempDir() + "/muxlab-name-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "socket";
  }
  ~SocketNames() override { fs::remove_all(folder_); }

  /// Returns a socket of another program that has bound the name.
  [[nodiscard]] UniqueFd bind_name(int type) const {
    UniqueFd socket(checked(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
    path_.string().copy(name.sun_path, sizeof name.sun_path - 1);
    checked(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
    return socket;
  }
  void put(const std::string& text) const {
    fs::remove(path_);
    std::ofstream(path_) << text;
  }
  [[nodiscard]] std::string text() const {
    std::ifstream stream(path_);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] std::vector<std::string> options() const { return {"--unix", path_}; }
  [[nodiscard]] std::string address() const { return "unix:" + path_.string(); }

  fs::path folder_;
  fs::path path_;
};

TEST_F(SocketNames, AFileOfTheUsersStays) {
  test::ServerProcess server(options());
  ASSERT_TRUE(server.listens()) << server.errors();
  put("mine");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(text(), "mine");
}

TEST_F(SocketNames, ASuccessorKeepsItsOwn) {
  std::vector<std::string> slow = options();
  slow.insert(slow.end(), {"--drain", "60m"});
  test::ServerProcess first(slow);
  ASSERT_TRUE(first.listens()) << first.errors();
  Client client(first.address());
  ASSERT_TRUE(client.ping());
  first.signal(SIGTERM);
  ASSERT_TRUE(client.at_end()) << "it drains";
  EXPECT_FALSE(fs::exists(path_)) << "no socket listens there any more";
  test::ServerProcess second(options());
  ASSERT_TRUE(second.listens()) << second.errors();
  client.close();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_TRUE(Client(second.address()).ping());
}

TEST_F(SocketNames, AreGoneAfterASecondSignal) {
  std::vector<std::string> slow = options();
  slow.insert(slow.end(), {"--drain", "60m"});
  test::ServerProcess server(slow);
  ASSERT_TRUE(server.listens()) << server.errors();
  const Client client(server.address());
  ASSERT_TRUE(client.ping());
  server.signal(SIGTERM);
  ASSERT_TRUE(client.at_end());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 143);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(SocketNames, AreNotTakenFromAProgramThatHasBoundThem) {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const UniqueFd bound = bind_name(type);
    const test::Outcome outcome = test::run("serve --unix " + path_.string());
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_NE(outcome.output.find("is busy"), std::string::npos) << outcome.output;
    if (type == SOCK_STREAM) {
      ASSERT_EQ(::listen(bound.get(), 1), 0);
      EXPECT_NO_THROW(Client{address()}) << "the name is still that program's";
    }
    fs::remove(path_);
  }
}

TEST_F(SocketNames, AreNotTakenFromAFile) {
  put("mine");
  const test::Outcome outcome = test::run("serve --unix " + path_.string());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.output.find("exists and is not a socket"), std::string::npos) << outcome.output;
  EXPECT_EQ(text(), "mine");
}

TEST_F(SocketNames, AnAbandonedOneIsTakenByOneOfMany) {
  bind_name(SOCK_STREAM).reset();
  std::vector<std::unique_ptr<test::ServerProcess>> servers;
  for (int i = 0; i < 8; ++i) servers.push_back(std::make_unique<test::ServerProcess>(options()));
  int listening = 0;
  for (const auto& server : servers) {
    if (server->listens()) {
      ++listening;
    } else {
      EXPECT_EQ(server->wait(), 3);
      EXPECT_NE(server->errors().find("is busy"), std::string::npos) << server->errors();
    }
  }
  EXPECT_EQ(listening, 1);
  EXPECT_TRUE(Client(address()).ping());
}

TEST_F(SocketNames, ABoardLeavesAFileOfTheUsersAlone) {
  {
    const OracleBoard board = OracleBoard::create(path_);
    put("mine");
  }
  EXPECT_EQ(text(), "mine");
  EXPECT_THROW(OracleBoard::create(path_), Failure);
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THROW(OracleBoard::create(path_), Failure) << "and waits for no writer";
  EXPECT_TRUE(fs::is_fifo(path_));
}

}  // namespace
}  // namespace muxlab
