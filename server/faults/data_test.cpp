#include <atomic>
#include <cerrno>
#include <thread>

#include "server/faults/faults.hpp"

/// Tests data, and calls that move less than asked, nothing, or fail.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, B10EchoesEverySizeAndEveryByte) {
  start();
  std::string all_bytes(256, '\0');
  for (std::size_t i = 0; i < all_bytes.size(); ++i) all_bytes[i] = static_cast<char>(i);
  const Client client = connect();
  EXPECT_EQ(client.exchange(all_bytes), all_bytes);
  constexpr std::size_t kBuffer = kBufferSize;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBuffer - 1, kBuffer, kBuffer + 1,
                                 std::size_t{65537}, std::size_t{10'000'000}}) {
    const std::string sent = random_bytes(size, size);
    EXPECT_TRUE(client.exchange(sent) == sent) << size;
  }
  const std::string dribble = random_bytes(500, 1);
  for (const char byte : dribble) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_TRUE(client.receive(dribble.size()) == dribble);
}

constexpr const char* kShortMeansDone =
    "epoll(7): a stream socket that moves less than it could is drained or full; a short call that "
    "is not the kernel's own breaks this promise of the kernel";

TEST_P(Faults, B11SendsInPieces) {
  if (waits_for_edges()) GTEST_SKIP() << kShortMeansDone;
  start();
  for (const unsigned most : {1U, 3U, 7U}) {
    plan_[Site::send].most = most;
    for (const std::size_t size : {100U, 20'000U}) {
      const std::string sent = random_bytes(size, most);
      EXPECT_TRUE(connect().exchange(sent) == sent) << most << " of " << size;
    }
  }
}

TEST_P(Faults, B11ReceivesInPieces) {
  const bool tries_first = cell().backend->name == "asio";  // a short receive changes nothing
  if (waits_for_edges() && !tries_first) GTEST_SKIP() << kShortMeansDone;
  start();
  for (const unsigned most : {1U, 3U, 7U}) {
    plan_[Site::receive].most = most;
    const std::string sent = random_bytes(20'000, most);
    EXPECT_TRUE(connect().exchange(sent) == sent) << most;
  }
}

TEST_P(Faults, B12GoesOnAfterAnInterruptedCall) {
  plan_->accept_singly = true;
  start();
  const Client before = connect();
  ASSERT_TRUE(before.ping());
  for (std::size_t site = 0; site <= static_cast<std::size_t>(Site::write); ++site) {
    plan_[static_cast<Site>(site)].fail(EINTR, 2);
  }
  const std::string sent = random_bytes(300'000, 1);
  EXPECT_TRUE(before.exchange(sent) == sent);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(serves());
  EXPECT_GT(plan_[Site::receive].hits, 0U);
  EXPECT_GT(plan_[Site::send].hits, 0U);
  EXPECT_GT(plan_[Site::wait].hits, 0U);
  EXPECT_GT(plan_[Site::accept].hits, 0U);
  for (SiteFaults& faults : plan_->sites) faults.stop_failing();
}

TEST_P(Faults, B12GoesOnWhenItIsStoppedAndContinued) {
  start();
  const Client client = connect();
  const std::string sent = random_bytes(2'000'000, 2);
  std::atomic<bool> over = false;
  std::thread storm([&] {  // signal(7): waiting calls then fail with EINTR, even without a handler
    while (!over) {
      server().signal(SIGSTOP);
      server().signal(SIGCONT);
      std::this_thread::sleep_for(1ms);
    }
  });
  EXPECT_TRUE(client.exchange(sent) == sent);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(serves());
  over = true;
  storm.join();
}

TEST_P(Faults, B13TakesASpuriousReportForWhatItIs) {
  start();
  plan_->replay = true;
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(connect());
  for (int round = 0; round < 20; ++round) {
    for (const Client& client : clients) ASSERT_TRUE(client.ping());
    clients.pop_back();
    clients.push_back(connect());
  }
  plan_->replay = false;
}

TEST_P(Faults, B13WaitsAgainWhenThereIsNoRoomAfterAll) {
  start();
  // Asio asks to be notified of room once per connection, and then relies on the kernel.
  const bool asks_once = cell().backend->name == "asio";
  plan_[Site::send].fail(EAGAIN, 2, asks_once ? 1 : UINT64_MAX);
  // Without repeated reports, the data would wait for good.
  if (!waits_for_edges()) plan_[Site::receive].fail(EAGAIN, 3);
  const Client client = connect();
  const std::string sent = random_bytes(1'000'000, 3);
  EXPECT_TRUE(client.exchange(sent) == sent);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(client.ping());
}

/// Sends and receives as much as it can, until it is stopped.
class Flooder {
 public:
  explicit Flooder(Client client) : client_(std::move(client)) {
    sender_ = std::thread([this] {
      const std::string chunk = random_bytes(1 << 20, 4);
      while (client_.send(chunk)) {
      }
    });
    receiver_ = std::thread([this] {
      while (client_.receive(1 << 20).size() == 1 << 20) {
      }
    });
  }
  Flooder(const Flooder&) = delete;
  Flooder& operator=(const Flooder&) = delete;
  ~Flooder() {
    ::shutdown(client_.fd(), SHUT_RDWR);
    sender_.join();
    receiver_.join();
  }

 private:
  Client client_;
  std::thread sender_;
  std::thread receiver_;
};

TEST_P(Faults, B14ServesAHundredBesideOneThatFloods) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect());
  const Flooder flooder(connect());
  const auto p99 = least(soon(50), [&] {
    std::vector<std::chrono::nanoseconds> waits;
    for (int round = 0; round < 10; ++round) {
      for (const Client& client : clients) {
        const auto sent = std::chrono::steady_clock::now();
        EXPECT_TRUE(client.ping());
        waits.push_back(std::chrono::steady_clock::now() - sent);
      }
    }
    std::ranges::sort(waits);
    return waits[waits.size() * 99 / 100];
  });
  EXPECT_LE(p99, soon(50));
}

TEST_P(Faults, B15NeverStallsWhereItStopsToReceive) {
  start();
  const Client client = connect();
  // As much as a turn receives, a byte more or less, and sizes that fill the buffer exactly.
  const std::vector<std::size_t> sizes = {kBufferSize,          16 * kBufferSize,
                                          16 * kBufferSize + 1, 16 * kBufferSize - 1,
                                          17 * kBufferSize,     4096};
  const int rounds = repeat(10, 300);
  for (int round = 0; round < rounds; ++round) {
    for (const std::size_t size : sizes) {
      const std::string sent = random_bytes(size, size);
      ASSERT_TRUE(client.exchange(sent) == sent) << size;
    }
  }
}

TEST_P(Faults, B15NeverStallsOverManyEchoes) {
  start();
  const Client client = connect();
  const int rounds = repeat(1000, share_of(1'000'000));
  for (int i = 0; i < rounds; ++i) ASSERT_TRUE(client.ping()) << i;
}

TEST_P(Faults, B16LeavesOutAnUrgentByte) {
  if (cell().backend->name.starts_with("io-uring") && threading() != Threading::half_sync) {
    GTEST_SKIP()
        << "of an urgent byte the kernel tells no request of io_uring, neither to poll nor "
           "to receive: what is behind it waits for what comes next";
  }
  start();
  const Client client = connect();
  ASSERT_TRUE(client.ping());
  {
    const Stopped stopped(server());  // so that the following bytes arrive together
    ASSERT_TRUE(client.send("before "));
    ASSERT_EQ(::send(client.fd(), "!", 1, MSG_OOB), 1);
    ASSERT_TRUE(client.send("after"));
  }
  EXPECT_EQ(client.receive(12), "before after");
  EXPECT_TRUE(client.ping());
}

}  // namespace
}  // namespace muxlab::faults
