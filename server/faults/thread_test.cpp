#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>

#include "server/faults/faults.hpp"
#include "server/testing/threads.hpp"

/// Tests several threads: a stuck thread, and how connections reach threads.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, F36LosesNothingWhileAThreadIsStuck) {
  if (threading() == Threading::single && !has_thread_per_connection()) {
    GTEST_SKIP() << "there is only one thread";
  }
  start();
  plan_->stall = true;
  const Client first = connect();
  ASSERT_TRUE(first.send("?"));
  ASSERT_TRUE(eventually([&] { return plan_->stalled.load(); }));

  constexpr std::size_t kClients = 40;
  const std::vector<Client> clients = ask(kClients);
  // Round robin gives the stuck thread every second connection; SO_REUSEPORT gives it some.
  const std::size_t expected = has_thread_per_connection()           ? kClients
                               : threading() == Threading::acceptor  ? kClients / 2
                               : threading() == Threading::reuseport ? 1
                                                                     : kClients;
  EXPECT_TRUE(eventually([&] {
    return static_cast<std::size_t>(std::ranges::count_if(clients, &Client::has_input)) >= expected;
  }));
  if (threading() == Threading::acceptor) {
    for (int i = 0; i < 200; ++i)
      static_cast<void>(connect());  // neither the acceptor nor its notification blocks
  }
  plan_->stall = false;
  EXPECT_EQ(first.receive(1), "?");
  for (const Client& client : clients) EXPECT_EQ(client.receive(1), "?");
}

TEST_P(Faults, F37SaysThatThereCanBeNoThread) {
  const std::uint64_t probing = has_thread_per_connection() ? 1 : 0;  // the probe's thread is first
  const auto threads = probing + cell().options.threads;
  for (std::uint64_t failing = 1; failing <= threads; ++failing) {
    plan_[Site::thread].fail(EAGAIN, failing, 1);
    test::ServerProcess server(options(), surroundings());
    EXPECT_FALSE(server.listens());
    EXPECT_EQ(server.wait(), 3) << server.errors();
    EXPECT_EQ(std::ranges::count(server.errors(), '\n'), 1) << server.errors();
    EXPECT_EQ(server.errors().find("Sanitizer"), std::string::npos) << server.errors();
  }
}

TEST_P(Faults, F37GoesOnWhenThereCanBeNoFurtherThread) {
  start();
  const Client before = connect();
  ASSERT_TRUE(before.ping());
  plan_[Site::thread].fail(EAGAIN);
  for (int i = 0; i < 10; ++i) {  // only a thread per connection refuses it
    if (has_thread_per_connection()) {
      EXPECT_TRUE(connect().is_cut_off());
    } else {
      EXPECT_TRUE(serves());
    }
  }
  EXPECT_TRUE(before.ping());
  const std::uint64_t refused = has_thread_per_connection() ? 10 : 0;
  EXPECT_TRUE(eventually([&] { return count("refused") == refused; }));
  plan_[Site::thread].stop_failing();
  EXPECT_TRUE(serves());
}

TEST_P(Faults, F38SpreadsConnectionsAsItsModelSays) {
  start();
  constexpr std::uint64_t kClients = 41;
  std::vector<Client> clients;
  for (std::uint64_t i = 0; i < kClients; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().ping());
  }
  std::uint64_t total = 0;
  std::uint64_t least = UINT64_MAX;
  std::uint64_t most = 0;
  const auto stats = server().stats();
  for (const auto& thread : stats["threads"]) {
    const auto accepted = thread["accepted"].get<std::uint64_t>();
    total += accepted;
    if (threading() == Threading::acceptor && &thread == &stats["threads"].back()) continue;
    least = std::min(least, accepted);
    most = std::max(most, accepted);
  }
  EXPECT_EQ(total, kClients) << "each connection is counted where it is served";
  if (threading() == Threading::acceptor) {
    EXPECT_LE(most - least, 1U);
  }
  if (threading() == Threading::half_sync) {
    EXPECT_EQ(most, kClients) << "by the waiting thread";
  }
}

/// Returns how often the server's threads, except the first, have gone to sleep.
std::uint64_t sleeps_of_workers(pid_t server) {
  std::uint64_t sleeps = 0;
  for (const auto& [thread, its] : test::sleeps_of_threads(server, server)) sleeps += its;
  return sleeps;
}

TEST_P(Faults, F39WakesOneThreadForOneConnection) {
  const bool exclusive = cell().backend->name.starts_with("epoll");
  if (threading() == Threading::shared && !exclusive) {
    GTEST_SKIP() << "the mechanism wakes every thread that waits for the listener";
  }
  start();
  constexpr std::uint64_t kClients = 200;
  std::uint64_t calls = UINT64_MAX;  // if a thread is delayed, the kernel wakes another
  std::uint64_t sleeps = UINT64_MAX;
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t accepted = count("accepted");
    ASSERT_TRUE(eventually([&] { return count("closed") == accepted; }));
    const auto calls_before = server().stats()["syscalls"]["accept"].get<std::uint64_t>();
    const std::uint64_t sleeps_before = sleeps_of_workers(server().pid());
    std::vector<Client> clients;
    for (std::uint64_t i = 1; i <= kClients; ++i) {
      clients.push_back(connect());
      ASSERT_TRUE(eventually([&] { return count("accepted") == accepted + i; }));
    }
    sleeps = std::min(sleeps, sleeps_of_workers(server().pid()) - sleeps_before);
    calls =
        std::min(calls, server().stats()["syscalls"]["accept"].get<std::uint64_t>() - calls_before);
    for (const Client& client : clients) ASSERT_TRUE(client.ping());
  }
  // A turn ends with an accept that returns EAGAIN; further ones are needless wake-ups. A thread
  // that wakes too late even for that only adds a sleep.
  EXPECT_LE(calls, 2 * kClients + kClients / 10);
  if (threading() == Threading::shared) {
    EXPECT_LE(sleeps, kClients + kClients / 2);
  }
}

/// Runs clients that connect, echo and leave, until stopped.
class Crowd {
 public:
  explicit Crowd(std::string address) : address_(std::move(address)) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this] {
        while (!over_) come_and_go();
      });
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void come_and_go() const {
    try {
      Client client(address_);
      const std::string sent = random_bytes(3000, 1);
      static_cast<void>(client.exchange(sent));
      client.reset();
    } catch (const std::system_error&) {  // the server has ended for the moment
      std::this_thread::yield();
    }
  }

  std::string address_;
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

TEST_P(Faults, F40StartsAndStopsUnderLoad) {
  const std::string port = test::lasting_port();
  std::unique_ptr<Crowd> crowd;
  const int cycles = repeat(3, share_of(1'012));
  for (int cycle = 0; cycle < cycles; ++cycle) {
    std::vector<std::string> words = options();
    words.insert(words.end(), {"--port", port, "--drain", "10s", "--stats", "-"});
    test::ServerProcess server(words, surroundings());
    ASSERT_TRUE(server.listens()) << server.errors();
    if (!crowd) crowd = std::make_unique<Crowd>(server.address());
    const Client client(server.address());
    EXPECT_TRUE(client.ping());
    client.end_sending();
    server.signal(SIGTERM);
    const auto stats = nlohmann::json::parse(server.line(), nullptr, false);
    EXPECT_EQ(server.wait(), 0) << server.errors();
    ASSERT_TRUE(stats.contains("closed")) << stats;
    EXPECT_EQ(stats["accepted"], stats["closed"]);
    EXPECT_EQ(server.errors(), "");
  }
}

TEST_P(Faults, F41DrainsWhatIsOnItsWayToAThreadWhenItStops) {
  for (int round = 0; round < repeat(1, 5); ++round) {
    start({"--drain", "10s"});
    std::vector<Client> clients;
    std::thread dialer([&] {
      try {
        // Not more than libevent's select has places for: at a full server they wait outside.
        while (clients.size() < 900) {
          Client client = connect();
          if (!client.send("?")) break;
          clients.push_back(std::move(client));
        }
      } catch (const std::system_error&) {  // refused: the server no longer listens
      }
    });
    EXPECT_TRUE(eventually([&] { return count("echoes") > 20; }));
    server().signal(SIGTERM);
    dialer.join();
    std::size_t lost = 0;
    for (const Client& client : clients) {
      const bool served = client.receive(1) == "?";
      if (!served) ++lost;
      client.end_sending();
    }
    // The kernel resets connections made between the last accept and the close of the listener.
    EXPECT_LE(lost, 4U * cell().options.threads);
    EXPECT_EQ(server().wait(), 0) << server().errors();
    const auto stats = nlohmann::json::parse(server().line(), nullptr, false);
    EXPECT_EQ(stats["accepted"], stats["closed"]);
  }
}

}  // namespace
}  // namespace muxlab::faults
