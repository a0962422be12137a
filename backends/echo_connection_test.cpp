#include "backends/echo_connection.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

class EchoConnectionTest : public testing::Test {
 protected:
  EchoConnectionTest() {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
            "socketpair");
    connection = EchoConnection(UniqueFd(ends[0]));
    peer.reset(ends[1]);
  }

  Next advance(Trigger trigger = Trigger::level) {
    return connection.advance(scratch, trigger, stats);
  }
  void send(const std::string& data) const {
    ASSERT_EQ(::send(peer.get(), data.data(), data.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(data.size()));
  }
  [[nodiscard]] std::string receive() const {
    std::string data(1 << 20, '\0');
    const ssize_t n = ::recv(peer.get(), data.data(), data.size(), 0);
    data.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return data;
  }
  /// Keeps the connection from sending: fills the receive buffer of its peer.
  std::string fill() const {
    const std::string chunk(4096, 'f');
    std::string filled;
    ssize_t n = 0;
    while ((n = ::send(connection.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT)) > 0) {
      filled.append(chunk, 0, static_cast<std::size_t>(n));
    }
    return filled;
  }

  std::array<std::byte, 64> scratch{};
  WorkerStats stats;
  EchoConnection connection;
  UniqueFd peer;
};

TEST_F(EchoConnectionTest, ASpuriousReportIsHarmless) {
  EXPECT_EQ(advance(), Next::read);
  EXPECT_EQ(advance(Trigger::edge), Next::read);
  EXPECT_EQ(stats.echoes.get(), 0U);
}

TEST_F(EchoConnectionTest, EchoesWhatCame) {
  send("hello");
  EXPECT_EQ(advance(), Next::read);
  EXPECT_EQ(receive(), "hello");
  EXPECT_EQ(stats.echoes.get(), 1U);
  EXPECT_EQ(stats.bytes_in.get(), 5U);
  EXPECT_EQ(stats.bytes_out.get(), 5U);
}

TEST_F(EchoConnectionTest, LevelTriggeredReceivesOnceAndEdgeTriggeredUntilDrained) {
  send(std::string(scratch.size() * 3 + 1, 'x'));
  EXPECT_EQ(advance(Trigger::level), Next::read);
  EXPECT_EQ(stats.echoes.get(), 1U);
  EXPECT_EQ(advance(Trigger::edge), Next::read);
  EXPECT_EQ(stats.echoes.get(), 4U);
  EXPECT_EQ(receive().size(), scratch.size() * 3 + 1);
}

TEST_F(EchoConnectionTest, EdgeTriggeredGivesTheOthersATurn) {
  send(std::string(scratch.size() * (EchoConnection::kReceivesPerTurn + 1), 'x'));
  EXPECT_EQ(advance(Trigger::edge), Next::yield);
  EXPECT_EQ(stats.echoes.get(), static_cast<std::uint64_t>(EchoConnection::kReceivesPerTurn));
  EXPECT_EQ(advance(Trigger::edge), Next::read);
  EXPECT_EQ(stats.bytes_out.get(), scratch.size() * (EchoConnection::kReceivesPerTurn + 1));
}

TEST_F(EchoConnectionTest, DrainsToTheEndAlsoWhereATurnEndsWithTheLastByte) {
  send(std::string(scratch.size() * EchoConnection::kReceivesPerTurn, 'x'));
  connection.begin_drain();
  EXPECT_EQ(advance(), Next::yield);
  EXPECT_EQ(connection.interest(), Interest::write) << "nothing more comes that could be reported";
  EXPECT_EQ(advance(), Next::read);
  EXPECT_EQ(connection.interest(), Interest::read);
  EXPECT_EQ(receive().size(), scratch.size() * EchoConnection::kReceivesPerTurn);
  EXPECT_EQ(::recv(peer.get(), scratch.data(), scratch.size(), 0), 0) << "it has ended its side";
}

TEST_F(EchoConnectionTest, TheEndOfTheStreamEndsIt) {
  peer.reset();
  EXPECT_EQ(advance(), Next::over);
}

TEST_F(EchoConnectionTest, KeepsWhatCannotBeSentAndReceivesNothingMeanwhile) {
  const std::string before = fill();
  send("first");
  send("second");
  EXPECT_EQ(advance(), Next::write);
  EXPECT_EQ(connection.interest(), Interest::write);
  EXPECT_EQ(stats.bytes_in.get(), 11U);
  send("third");
  EXPECT_EQ(advance(), Next::write);
  EXPECT_EQ(stats.bytes_in.get(), 11U) << "received before all was sent";

  std::string received;
  while (received.size() < before.size()) received += receive();
  EXPECT_EQ(advance(), Next::read);
  EXPECT_EQ(connection.interest(), Interest::read);
  EXPECT_EQ(advance(), Next::read);
  EXPECT_EQ(received.substr(before.size()) + receive(), "firstsecondthird");
  EXPECT_EQ(stats.echoes.get(), 2U);
}

TEST_F(EchoConnectionTest, APeerThatIsGoneEndsItWhileItHasSomethingToSend) {
  fill();
  send("unsent");
  EXPECT_EQ(advance(), Next::write);
  peer.reset();
  EXPECT_EQ(advance(), Next::over);
}

TEST(EchoConnection, CostsAnIdleConnectionLittleMemory) { EXPECT_LE(sizeof(EchoConnection), 32U); }

}  // namespace
}  // namespace muxlab
