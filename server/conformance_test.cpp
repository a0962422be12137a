#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backends/controls/oracle_board.hpp"
#include "server/server.hpp"
#include "server/testing/cells.hpp"
#include "server/testing/client.hpp"
#include "server/testing/threads.hpp"
#include "server/threading.hpp"

/// Tests the promises of every listed backend on every threading model.
namespace muxlab {
namespace {

using test::Cell;
using test::Client;
using test::eventually;
using test::random_bytes;

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

/// A server of the cell's kind, with its counters.
class Subject {
 public:
  explicit Subject(const Cell& cell) : Subject(cell, cell.options) {}
  Subject(const Cell& cell, const ServeOptions& options)
      : board(options.oracle ? std::optional(OracleBoard::create(*options.oracle)) : std::nullopt),
        server(*cell.backend, options),
        half_sync(options.threading == Threading::half_sync) {}

  [[nodiscard]] std::uint64_t sum(Counter WorkerStats::*counter) const {
    std::uint64_t all = 0;
    for (const WorkerStats& stats : server.stats()) all += total(stats, counter);
    return all;
  }
  [[nodiscard]] std::uint64_t calls(Call call) const {
    std::uint64_t all = 0;
    for (const WorkerStats& stats : server.stats()) all += total(stats, call);
    return all;
  }
  /// Waits until `accepted` connections were accepted and as many closed.
  [[nodiscard]] bool balanced(std::uint64_t accepted) const {
    return eventually([&] {
      return sum(&WorkerStats::accepted) == accepted && sum(&WorkerStats::closed) == accepted;
    });
  }
  /// Waits until no thread still opens descriptors. Half-sync's workers wait for none.
  [[nodiscard]] bool all_threads_wait() const {
    return eventually([&] {
      const auto waits = [](const WorkerStats& stats) {
        return stats.calls[static_cast<int>(Call::wait)].get() > 0;
      };
      const auto threads = server.stats();
      return std::ranges::all_of(threads, waits) || (half_sync && waits(threads.back()));
    });
  }
  [[nodiscard]] Client connect(int receive_buffer = 0) const {
    return Client(server.address(), receive_buffer);
  }
  [[nodiscard]] bool serves() const { return connect().ping(); }
  [[nodiscard]] bool has_ended() const {
    pollfd ended{.fd = server.ended(), .events = POLLIN, .revents = 0};
    return ::poll(&ended, 1, 0) == 1;
  }

  std::optional<OracleBoard> board;  ///< for the oracle
  Server server;
  bool half_sync;
};

/// A base class, to count descriptors before the server exists. A library may keep some open, as
/// libuv does for signals: it opens them in the probe.
struct DescriptorsBefore {
  bool works = testing::WithParamInterface<Cell>::GetParam().backend->probe().works;
  std::size_t descriptors_before = open_descriptors();
};

class Conformance : public testing::TestWithParam<Cell>,
                    protected DescriptorsBefore,
                    protected Subject {
 protected:
  Conformance() : Subject(GetParam()) {}
};

TEST_P(Conformance, EndsAnEmptyStream) {
  Client client = connect();
  client.end_sending();
  EXPECT_TRUE(client.at_end());
  client.close();
  EXPECT_TRUE(balanced(1));
}

TEST_P(Conformance, EchoesEverySize) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{64}, kBufferSize - 1, kBufferSize,
                                 kBufferSize + 1, std::size_t{3'000'000}}) {
    const Client client = connect();
    const std::string sent = random_bytes(size, size);
    EXPECT_TRUE(client.exchange(sent) == sent) << size;
    client.end_sending();
    EXPECT_TRUE(client.at_end()) << size;
  }
  EXPECT_TRUE(balanced(6));
  EXPECT_EQ(sum(&WorkerStats::bytes_in), sum(&WorkerStats::bytes_out));
}

TEST_P(Conformance, EchoesADribbleOfSingleBytes) {
  const Client client = connect();
  const std::string sent = random_bytes(300, 1);
  for (const char byte : sent) {
    ASSERT_TRUE(client.send({&byte, 1}));
    ASSERT_EQ(client.receive(1), std::string(1, byte));
  }
  for (const char byte : sent) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_TRUE(client.receive(sent.size()) == sent);
}

TEST_P(Conformance, ReturnsEveryByteAfterHalfClose) {
  const Client client = connect();
  const std::string sent = random_bytes(8'000'000, 2);
  std::atomic<bool> under_way = false;
  std::thread sender([&] {
    const auto [first, rest] = std::pair(sent.substr(0, kBufferSize), sent.substr(kBufferSize));
    EXPECT_TRUE(client.send(first));
    under_way = true;
    EXPECT_TRUE(client.send(rest));
    client.end_sending();
  });
  EXPECT_TRUE(eventually([&] { return under_way.load(); }));  // the reader starts late
  EXPECT_TRUE(client.receive(sent.size()) == sent);
  sender.join();
  EXPECT_TRUE(client.at_end());
}

TEST_P(Conformance, SeesTheEndThatComesWithTheData) {
  for (int round = 0; round < 50; ++round) {
    const Client client = connect();
    ASSERT_TRUE(client.send("last words"));
    client.end_sending();
    ASSERT_EQ(client.receive(10), "last words");
    ASSERT_TRUE(client.at_end());
  }
  EXPECT_TRUE(balanced(50));
}

TEST_P(Conformance, OutlivesResetsAtEveryStage) {
  const std::string large = random_bytes(kBufferSize * 4, 3);
  for (int round = 0; round < 10; ++round) {
    connect().reset();  // before or while it is accepted

    Client silent = connect();
    Client after_an_echo = connect();
    ASSERT_TRUE(after_an_echo.ping());
    after_an_echo.reset();  // while it waits to receive

    Client unread = connect();
    ASSERT_TRUE(unread.send(large));
    unread.reset();  // while an echo is on its way
    silent.reset();
  }
  EXPECT_TRUE(serves());
  // A reset may overtake the last packet of the handshake. The kernel then drops the connection,
  // and the server never sees it. Only the pinged connections are certain.
  std::uint64_t accepted = 0;
  EXPECT_TRUE(eventually([&] {
    accepted = sum(&WorkerStats::accepted);
    return accepted >= 11 && sum(&WorkerStats::closed) == accepted;
  }));
  EXPECT_LE(accepted, 41U);
}

TEST_P(Conformance, OutlivesAResetWhileItCannotSend) {
  Client stuck = connect(4096);
  const std::string chunk = random_bytes(1 << 20, 4);
  while (::send(stuck.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  stuck.reset();
  EXPECT_TRUE(serves());
  EXPECT_TRUE(balanced(2));
}

TEST_P(Conformance, ServesAThousandConnectionsAtOnce) {
  // Client sockets move up, so that the server gets numbers as low as in its own process.
  constexpr int kOutOfTheWay = 3000;
  const bool capped = GetParam().backend->probe().max_descriptor < FD_SETSIZE;
  const std::size_t count = capped ? 960 : 1000;
  std::vector<Client> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(connect());
    clients.back().move_to(kOutOfTheWay);
  }
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(clients[i].send(random_bytes(64, i)));
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(clients[i].receive(64) == random_bytes(64, i)) << i;
  }
  EXPECT_EQ(sum(&WorkerStats::accepted), count);
  clients.clear();
  EXPECT_TRUE(balanced(count));
}

TEST_P(Conformance, HoldsOneBufferForAClientThatNeverReads) {
  const Client client = connect(4096);
  const std::string sent = random_bytes(32 << 20, 5);
  std::size_t pushed = 0;
  pollfd writable{.fd = client.fd(), .events = POLLOUT, .revents = 0};
  while (pushed < sent.size() && ::poll(&writable, 1, 300) > 0) {
    const ssize_t n = ::send(client.fd(), sent.data() + pushed, sent.size() - pushed,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) pushed += static_cast<std::size_t>(n);
  }
  ASSERT_LT(pushed, sent.size()) << "the server receives without bound";
  EXPECT_LE(sum(&WorkerStats::bytes_in) - sum(&WorkerStats::bytes_out), kBufferSize);
  EXPECT_TRUE(client.receive(pushed) == sent.substr(0, pushed));  // no byte is lost
  client.end_sending();
  EXPECT_TRUE(client.at_end());
}

TEST_P(Conformance, StopsSoonWithConnectionsOpen) {
  std::vector<Client> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(connect());
  for (const Client& client : clients) ASSERT_TRUE(client.ping());
  ASSERT_TRUE(clients.front().send(random_bytes(100'000, 6)));
  server.stop();  // would hang if it waited for them
  EXPECT_EQ(sum(&WorkerStats::accepted), 50U);
  EXPECT_EQ(sum(&WorkerStats::closed), 50U);
  for (std::size_t i = 1; i < clients.size(); ++i) EXPECT_TRUE(clients[i].is_cut_off());
}

TEST_P(Conformance, GivesEveryDescriptorBack) {
  // A thread without work may still be opening its descriptors.
  const std::size_t starting = kDescriptorsPerThread * GetParam().options.threads;
  {
    std::vector<Client> clients;
    for (int i = 0; i < 40; ++i) clients.push_back(connect());
    for (const Client& client : clients) ASSERT_TRUE(client.ping());
    const std::size_t while_serving = open_descriptors();
    for (int i = 0; i < 20; ++i) clients.pop_back();
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= while_serving - 40 + starting; }));
  }
  EXPECT_TRUE(eventually([&] { return sum(&WorkerStats::closed) == 40; }));
  server.stop();
  const std::size_t boards = board ? 1 : 0;
  EXPECT_EQ(open_descriptors(), descriptors_before + 3 + boards)
      << "all but its stop and ended flags";
}

TEST_P(Conformance, ServesOrRefusesDescriptorsBeyondFdSetsize) {
  std::vector<UniqueFd> occupied;
  do {
    occupied.emplace_back(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  } while (occupied.back().get() < FD_SETSIZE + 100);

  const bool capped = GetParam().backend->probe().max_descriptor < FD_SETSIZE;
  if (!capped) {
    EXPECT_TRUE(serves());
    return;
  }
  EXPECT_TRUE(connect().is_cut_off());
  EXPECT_EQ(sum(&WorkerStats::refused), 1U);
  occupied.clear();
  EXPECT_TRUE(serves());
}

/// Returns the calls for a client that waits for each echo: each event then has a wait of its own.
CallsPerEcho calls_for_one_client(const Cell& cell) {
  if (is_oracle(*cell.backend)) return {};  // no client reports, so it waits
  if (const auto calls = calls_per_echo(*cell.backend, cell.options)) return *calls;
  if (cell.backend->name == "asio") return {};  // its waits and reads: below
  // Handing back costs a write, a wait and a read. Re-arming costs a call on a kernel list.
  const bool has_kernel_list = cell.backend->name.starts_with("epoll");
  return {.events = 2, .read = 2, .write = 2, .ctl = has_kernel_list ? 1.0 : 0.0};
}

/// Checks that an echo needs no other calls: no second recv() for EAGAIN, no epoll_ctl() per echo.
TEST_P(Conformance, MakesNoSystemCallThatAnEchoDoesNotNeed) {
  constexpr std::uint64_t kEchoes = 500;
  const std::string_view name = GetParam().backend->name;
  const Client client = connect();
  ASSERT_TRUE(client.ping());
  ASSERT_TRUE(all_threads_wait());
  const bool never_sleeps = GetParam().backend->spins;
  const auto settled = [&] { return never_sleeps || eventually(test::others_sleep); };
  const auto count = [&] {
    return std::array{calls(Call::wait),        calls(Call::read),   calls(Call::write),
                      calls(Call::ctl),         calls(Call::accept), calls(Call::other),
                      sum(&WorkerStats::events)};
  };
  ASSERT_TRUE(settled());
  const auto before = count();
  for (std::uint64_t i = 0; i < kEchoes; ++i) ASSERT_TRUE(client.ping());
  ASSERT_TRUE(settled());
  auto made = count();
  for (std::size_t i = 0; i < made.size(); ++i) made[i] -= before[i];

  const CallsPerEcho expected = calls_for_one_client(GetParam());
  const auto near = [&](double per_echo) {
    const auto calls = static_cast<std::uint64_t>(per_echo * kEchoes);
    const std::uint64_t under_way = never_sleeps ? 2 : 0;
    return testing::AllOf(testing::Ge(calls - std::min<std::uint64_t>(calls, 2)),
                          testing::Le(calls + under_way));
  };
  if (name == "blind-scan") {  // its other calls fail with EAGAIN
    EXPECT_GE(made[1], kEchoes) << "read";
    EXPECT_EQ(made[2], kEchoes) << "write";
    EXPECT_EQ(made[3], 0U) << "ctl";
    return;
  }
  if (name == "asio") {
    // Asio receives before it waits. Usually that returns EAGAIN; if the next request has arrived,
    // there is no wait.
    const auto at_most_two = testing::AllOf(testing::Ge(kEchoes), testing::Le(2 * kEchoes));
    EXPECT_THAT(made[0], at_most_two) << "wait";
    EXPECT_THAT(made[1], at_most_two) << "read";
    EXPECT_LE(made[6], kEchoes) << "events";
  } else {
    EXPECT_THAT(made[0], near(expected.events)) << "wait";
    EXPECT_THAT(made[1], near(expected.read)) << "read";
    EXPECT_THAT(made[6], near(expected.events)) << "events";
  }
  EXPECT_THAT(made[2], near(expected.write)) << "write";
  EXPECT_THAT(made[3], near(expected.ctl)) << "ctl";
  EXPECT_THAT(made[4], near(0)) << "accept";
  EXPECT_THAT(made[5], near(expected.other)) << "other";
}

/// Promises that need servers with options of their own.
class Promises : public testing::TestWithParam<Cell> {
 protected:
  [[nodiscard]] Subject serve_with(const std::function<void(ServeOptions&)>& change) const {
    ServeOptions options = GetParam().options;
    change(options);
    return Subject(GetParam(), options);
  }
};

TEST_P(Promises, ServesExactlyAsManyAsThereArePlaces) {
  const Subject subject = serve_with([](ServeOptions& options) { options.max_connections = 5; });
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(subject.connect());
  for (const Client& client : clients) ASSERT_TRUE(client.send("?"));
  EXPECT_TRUE(eventually([&] { return subject.sum(&WorkerStats::echoes) == 5; }));
  while (!clients.empty()) {  // each client that leaves frees a place
    const auto served = [](const Client& client) { return client.has_input(); };
    auto one = clients.end();
    ASSERT_TRUE(eventually([&] {
      one = std::ranges::find_if(clients, served);
      return one != clients.end();
    }));
    ASSERT_EQ(one->receive(1), "?");
    EXPECT_LE(subject.sum(&WorkerStats::accepted) - subject.sum(&WorkerStats::closed), 5U);
    clients.erase(one);
  }
  EXPECT_TRUE(subject.balanced(10));
  EXPECT_EQ(subject.sum(&WorkerStats::refused), 0U);
}

TEST_P(Promises, RefusesBeyondItsPlacesIfAskedTo) {
  const Subject subject = serve_with([](ServeOptions& options) {
    options.max_connections = 3;
    options.when_full = WhenFull::refuse;
  });
  std::vector<Client> served;
  for (int i = 0; i < 3; ++i) {
    served.push_back(subject.connect());
    ASSERT_TRUE(served.back().ping());
  }
  EXPECT_TRUE(subject.connect().is_cut_off());
  EXPECT_EQ(subject.sum(&WorkerStats::refused), 1U);
  served.pop_back();
  EXPECT_TRUE(eventually([&] { return subject.sum(&WorkerStats::closed) == 1; }));
  EXPECT_TRUE(eventually([&] { return subject.serves(); }));
}

/// Pings every 20 ms until `idle` is closed. Returns false when two pings were so far apart that
/// the server may have closed `active` too.
bool keeps_active(const Client& active, const Client& idle, std::chrono::milliseconds timeout) {
  pollfd closed{.fd = idle.fd(), .events = POLLIN, .revents = 0};
  bool is_in_time = true;
  for (auto last = std::chrono::steady_clock::now(); ::poll(&closed, 1, 20) == 0 && is_in_time;) {
    const bool is_served = active.ping();
    const auto now = std::chrono::steady_clock::now();
    is_in_time = now - last < timeout;
    EXPECT_TRUE(is_served || !is_in_time);
    last = now;
  }
  return is_in_time;
}

TEST_P(Promises, ClosesTheIdleAndKeepsTheActive) {
  // The longer time-outs are for a machine so busy that the test cannot keep its client active.
  for (const auto timeout : {std::chrono::milliseconds(200), std::chrono::milliseconds(1000),
                             std::chrono::milliseconds(10'000)}) {
    const Subject subject =
        serve_with([&](ServeOptions& options) { options.idle_timeout = timeout; });
    const Client active = subject.connect();
    const Client idle = subject.connect();
    const auto since = std::chrono::steady_clock::now();
    ASSERT_TRUE(idle.ping());
    if (!keeps_active(active, idle, timeout)) continue;
    EXPECT_GE(std::chrono::steady_clock::now() - since, timeout);
    EXPECT_TRUE(idle.is_cut_off());
    EXPECT_TRUE(eventually([&] { return subject.sum(&WorkerStats::closed) == 2; }));
    EXPECT_TRUE(active.is_cut_off());
    return;
  }
  FAIL() << "never in time";
}

TEST_P(Promises, ClosesTheIdleThatDoNotRead) {
  const Subject subject = serve_with(
      [](ServeOptions& options) { options.idle_timeout = std::chrono::milliseconds(200); });
  const Client stuck = subject.connect(4096);
  const std::string chunk = random_bytes(1 << 20, 7);
  while (::send(stuck.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  EXPECT_TRUE(subject.balanced(1));
}

TEST_P(Promises, DrainsBeforeItStops) {
  Subject subject =
      serve_with([](ServeOptions& options) { options.drain = std::chrono::hours(1); });
  const std::string sent = random_bytes(kBufferSize * 4, 8);
  const Client busy = subject.connect();
  const Client idle = subject.connect();
  ASSERT_TRUE(idle.ping());
  ASSERT_TRUE(busy.send(sent));
  subject.server.begin_stop();
  EXPECT_TRUE(busy.receive(sent.size()) == sent) << "data from before the stop";
  EXPECT_TRUE(busy.at_end()) << "then a half-close, not a reset";
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(idle.send("too late")) << "still received: a reset would destroy echoes in flight";
  EXPECT_FALSE(subject.has_ended());
  busy.end_sending();
  idle.end_sending();
  EXPECT_TRUE(eventually([&] { return subject.has_ended(); }));
  subject.server.stop();
  EXPECT_EQ(subject.sum(&WorkerStats::closed), 2U);
}

TEST_P(Promises, ServesWhatWaitsInTheBacklogWhenItStops) {
  Subject subject =
      serve_with([](ServeOptions& options) { options.drain = std::chrono::hours(1); });
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(subject.connect());
    ASSERT_TRUE(clients.back().send("?"));
  }
  subject.server.begin_stop();
  for (const Client& client : clients) {
    ASSERT_EQ(client.receive(1), "?");
    ASSERT_TRUE(client.at_end());
  }
  clients.clear();
  subject.server.stop();
  EXPECT_EQ(subject.sum(&WorkerStats::accepted), 100U);
  EXPECT_EQ(subject.sum(&WorkerStats::closed), 100U);
}

TEST_P(Promises, StopsAfterTheDrainTimeWhateverClientsDo) {
  Subject subject =
      serve_with([](ServeOptions& options) { options.drain = std::chrono::milliseconds(100); });
  const Client idle = subject.connect();
  ASSERT_TRUE(idle.ping());
  const Client stuck = subject.connect(4096);
  const std::string chunk = random_bytes(1 << 20, 9);
  while (::send(stuck.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  subject.server.stop();  // would hang if it waited for the clients; the fault suite times it
  EXPECT_EQ(subject.sum(&WorkerStats::closed), 2U);
}

INSTANTIATE_TEST_SUITE_P(Every, Conformance, testing::ValuesIn(test::wanted_cells()),
                         [](const auto& cell) { return cell.param.name(); });
INSTANTIATE_TEST_SUITE_P(Every, Promises, testing::ValuesIn(test::wanted_cells()),
                         [](const auto& cell) { return cell.param.name(); });
INSTANTIATE_TEST_SUITE_P(Control, Conformance, testing::ValuesIn(test::control_cells()),
                         [](const auto& cell) { return cell.param.name(); });
INSTANTIATE_TEST_SUITE_P(Control, Promises, testing::ValuesIn(test::control_cells()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab
