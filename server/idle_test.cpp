#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "backends/controls/oracle_board.hpp"
#include "server/server.hpp"
#include "server/testing/cells.hpp"
#include "server/testing/client.hpp"

/// Tests when a connection counts as idle, on every backend and threading model.
namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::Cell;
using test::Client;

class Idle : public testing::TestWithParam<Cell> {};

/// Sends until the kernel takes no more for 30 ms: all buffers between the two are full.
std::size_t push_until_stuck(const Client& client, const std::string& data) {
  std::size_t pushed = 0;
  pollfd writable{.fd = client.fd(), .events = POLLOUT, .revents = 0};
  while (pushed < data.size() && ::poll(&writable, 1, 30) > 0) {
    const ssize_t sent = ::send(client.fd(), data.data() + pushed, data.size() - pushed,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) break;
    pushed += static_cast<std::size_t>(sent);
  }
  return pushed;
}

/// Receives slowly for several time-outs, and then the rest. Returns nothing when a delay of this
/// test or of the kernel may have made the client idle.
std::optional<std::string> receive_slowly(const Client& client, std::size_t size,
                                          std::chrono::nanoseconds timeout) {
  constexpr std::size_t kSip = 8192;
  constexpr int kSipsPerTimeout = 8, kTimeouts = 5;
  std::string received;
  auto last = std::chrono::steady_clock::now();
  for (int sips = 0; received.size() < size; ++sips) {
    const bool is_slow = sips < kTimeouts * kSipsPerTimeout;
    if (is_slow) std::this_thread::sleep_for(timeout / kSipsPerTimeout);
    const std::string sip = client.receive(std::min(kSip, size - received.size()));
    const auto now = std::chrono::steady_clock::now();
    if (now - last > timeout / 2) return std::nullopt;
    last = now;
    if (sip.empty()) break;
    received += sip;
  }
  return received;
}

TEST_P(Idle, IsNoClientThatReceivesSlowly) {
  constexpr int kSmallBuffer = 65536;
  const std::string sent = test::random_bytes(16 << 20, 1);
  // The longer time-outs are for a machine so busy that the test cannot keep the client active.
  for (const auto timeout : {100ms, 1000ms, 10'000ms}) {
    ServeOptions options = GetParam().options;
    std::optional<OracleBoard> board;
    if (options.oracle) board.emplace(OracleBoard::create(*options.oracle));
    options.idle_timeout = timeout;
    const Server server(*GetParam().backend, options);
    const Client client(server.address(), kSmallBuffer);
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t pushed = push_until_stuck(client, sent);
    if (std::chrono::steady_clock::now() - begin > timeout) continue;
    const auto received = receive_slowly(client, pushed, timeout);
    if (!received) continue;
    EXPECT_EQ(received->size(), pushed);
    EXPECT_TRUE(*received == sent.substr(0, pushed));
    EXPECT_TRUE(client.is_cut_off()) << "idle at last";
    return;
  }
  FAIL() << "never in time";
}

INSTANTIATE_TEST_SUITE_P(Every, Idle, testing::ValuesIn(test::wanted_cells()),
                         [](const auto& cell) { return cell.param.name(); });
INSTANTIATE_TEST_SUITE_P(Control, Idle, testing::ValuesIn(test::control_cells()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab
