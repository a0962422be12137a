#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "server/faults/faults.hpp"

/// Tests which connection an event belongs to.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, D25NeverTakesAReusedDescriptorForTheOneBefore) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(connect());
  const int rounds = repeat(20, 500);
  std::mt19937 random(1);
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::string> sent;
    {
      const Stopped stopped(server());  // one batch: data, ends, reused numbers
      std::ranges::shuffle(clients, random);
      for (int i = 0; i < 16; ++i) {
        static_cast<void>(clients.back().send("not to be seen by others"));
        clients.back().reset();
        clients.pop_back();
      }
      for (int i = 0; i < 16; ++i) clients.push_back(connect());
      for (std::size_t i = 0; i < clients.size(); ++i) {
        sent.push_back(random_bytes(24, static_cast<std::uint64_t>(round) * 100 + i));
        ASSERT_TRUE(clients[i].send(sent.back()));
      }
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      ASSERT_TRUE(clients[i].receive(24) == sent[i]) << "round " << round;
    }
  }
}

TEST_P(Faults, D26ClosesTheIdleWhileTheyBecomeActive) {
  // Longer than a client may delay its acknowledgement: until then it may still be receiving.
  start({"--idle-timeout", "80ms"});
  const auto connections = static_cast<unsigned>(repeat(3, 15));
  std::vector<std::thread> clients;
  for (unsigned seed = 0; seed < 8; ++seed) {
    clients.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (unsigned i = 0; i < connections; ++i) {
        const Client client = connect();
        while (client.send("?") && client.receive(1) == "?") {
          // Around the time-out, so that activity and closing coincide.
          std::this_thread::sleep_for(std::chrono::milliseconds(70 + random() % 40));
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(count("accepted"), 8U * connections);
}

TEST_P(Faults, D27PassesNoDescriptorOnToAnotherProgram) {
  start();
  const Client client = connect();
  ASSERT_TRUE(client.ping());
  for (const auto& entry : std::filesystem::directory_iterator(server().proc() / "fdinfo")) {
    const int fd = std::stoi(entry.path().filename());
    if (fd <= STDERR_FILENO) continue;
    std::ifstream info(entry.path());
    std::string key;
    unsigned flags = 0;
    while (info >> key && key != "flags:") {
    }
    info >> std::oct >> flags;
    EXPECT_TRUE(flags & O_CLOEXEC)
        << std::filesystem::read_symlink(server().proc() / "fd" / std::to_string(fd));
  }
}

std::set<int> descriptors_of(const test::ServerProcess& server) {
  std::set<int> all;
  for (const auto& entry : std::filesystem::directory_iterator(server.proc() / "fd")) {
    all.insert(std::stoi(entry.path().filename()));
  }
  return all;
}

/// Returns the descriptor that is not in `before`. It is not always the highest, because a freed
/// number may be reused.
int new_descriptor(const test::ServerProcess& server, const std::set<int>& before) {
  for (const int fd : descriptors_of(server)) {
    if (!before.contains(fd)) return fd;
  }
  return 0;
}

TEST_P(Faults, D28DropsADescriptorThatWasClosedBehindItsBack) {
  const std::string_view name = cell().backend->name;
  if (name == "bufferevent" || name == "libuv" || name == "asio") {
    GTEST_SKIP() << "the library goes on to use the number, and epoll(7) reports nothing of it";
  }
  const bool is_told_of = !name.starts_with("epoll") && name != "libevent-epoll";
  if (!is_told_of && threading() != Threading::single) {
    GTEST_SKIP() << "epoll(7) reports nothing, and another thread may get the number";
  }
  if (name == "libevent-select") {
    GTEST_SKIP() << "libevent ends its loop when select fails with EBADF";
  }
  if (has_thread_per_connection()) {
    GTEST_SKIP() << "nothing waits for the descriptor, and a receive that blocks keeps the socket";
  }
  start();
  const Client bystander = connect();
  ASSERT_TRUE(bystander.ping());
  {
    const std::set<int> before = descriptors_of(server());
    const Client victim = connect();
    ASSERT_TRUE(victim.ping());
    const int fd = new_descriptor(server(), before);
    ASSERT_GT(fd, 0);
    plan_->close_at_wait = fd;
    ASSERT_TRUE(bystander.ping());
    EXPECT_TRUE(eventually([&] { return plan_->close_at_wait == 0; }));
    static_cast<void>(victim.send("?"));  // another thread may still wait for the closed socket
    if (is_told_of) {
      EXPECT_TRUE(victim.is_cut_off());
    }
  }
  EXPECT_TRUE(bystander.ping());
  // The number may be reused before the server notices that it was closed.
  EXPECT_TRUE(eventually([&] { return serves(); }));
}

/// Fails every call of the server that changes a registration, during its lifetime.
class RefusedControl {
 public:
  /// Adds the number of failed calls to `lines` at the end.
  RefusedControl(const SharedPlan& plan, int error, std::int64_t& lines)
      : plan_(plan), lines_(lines) {
    plan_[Site::control].fail(error);
  }
  RefusedControl(const RefusedControl&) = delete;
  RefusedControl& operator=(const RefusedControl&) = delete;
  ~RefusedControl() {
    plan_[Site::control].stop_failing();
    lines_ += static_cast<std::int64_t>(plan_[Site::control].hits);
  }
  [[nodiscard]] bool has_struck() const { return plan_[Site::control].hits > 0; }

 private:
  const SharedPlan& plan_;
  std::int64_t& lines_;
};

/// Returns why `backend` makes no such call or does not survive its failure; else empty.
std::string why_no_control(const Backend& backend) {
  const std::string_view name = backend.name;
  if (name == "libuv") return "libuv calls abort(3) when epoll_ctl(2) fails";
  if (name.starts_with("epoll") || name == "libevent-epoll" || name == "bufferevent" ||
      name == "asio" || name == "io-uring-poll") {
    return "";
  }
  return "it makes no call for a connection that the kernel could refuse for want of room";
}

TEST_P(Faults, I52RefusesWhomItCannotWaitFor) {
  if (const std::string why = why_no_control(*cell().backend); !why.empty()) GTEST_SKIP() << why;
  start();
  const Client first = connect();
  ASSERT_TRUE(first.ping());
  // A poll request is made again; a failed epoll_ctl(2) ends the connection.
  const bool tries_again = cell().backend->name == "io-uring-poll";
  for (const int error : {ENOSPC, ENOMEM}) {
    Client second;
    {
      const RefusedControl full(plan_, error, lines_of_libevent_);
      second = connect();
      EXPECT_TRUE(eventually([&] { return full.has_struck(); })) << error;
      EXPECT_TRUE(tries_again || second.is_cut_off()) << error;
    }
    EXPECT_TRUE(!tries_again || second.ping()) << error;
    // On half-sync such a call follows each echo, also that of `first`.
    EXPECT_TRUE(threading() == Threading::half_sync || first.ping()) << error;
    EXPECT_TRUE(serves()) << error;
  }
}

TEST_P(Faults, I53EndsOnlyTheConnectionThatItCannotWaitForAnyMore) {
  if (const std::string why = why_no_control(*cell().backend); !why.empty()) GTEST_SKIP() << why;
  if (cell().backend->name == "bufferevent") {
    GTEST_SKIP() << "a bufferevent ignores that its event cannot be added";
  }
  start();
  const Client bystander = connect();
  ASSERT_TRUE(bystander.ping());
  const Client greedy = connect(4096);  // does not read: the server waits for room
  ASSERT_TRUE(greedy.ping());
  {
    const RefusedControl full(plan_, ENOMEM, lines_of_libevent_);
    std::thread sender([&] { static_cast<void>(greedy.send(random_bytes(20'000'000, 1))); });
    EXPECT_TRUE(eventually([&] { return full.has_struck(); }));
    if (cell().backend->name == "io-uring-poll") ::shutdown(greedy.fd(), SHUT_RDWR);
    sender.join();  // ends when the server closes the connection
  }
  EXPECT_TRUE(eventually([&] { return serves(); }));
  const Client other = connect();
  EXPECT_TRUE(other.ping());
  EXPECT_TRUE(threading() == Threading::half_sync || bystander.ping());
}

TEST_P(Faults, I54ClosesWhatTheKernelHasForgotten) {
  if (const std::string why = why_no_control(*cell().backend); !why.empty()) GTEST_SKIP() << why;
  if (cell().backend->name == "io-uring-poll")
    GTEST_SKIP() << "a request is cancelled, not deleted";
  start();
  const Client bystander = connect();
  ASSERT_TRUE(bystander.ping());
  for (const int error : {ENOENT, EBADF}) {
    const RefusedControl gone(plan_, error, lines_of_libevent_);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(serves()) << error;  // each connects and closes
    EXPECT_TRUE(bystander.ping()) << error;
  }
}

TEST_P(Faults, D29ManagesABatchInWhichEverythingChanges) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect());
  for (const Client& client : clients) ASSERT_TRUE(client.ping());
  for (int round = 0; round < 5; ++round) {
    {
      const Stopped stopped(server());
      for (int i = 0; i < 50; ++i) {  // some close or reset ...
        const bool by_reset = i % 2 == 0;
        if (by_reset) clients.front().reset();
        clients.erase(clients.begin());
      }
      for (const Client& client : clients) ASSERT_TRUE(client.send("?"));  // ... some send ...
      for (int i = 0; i < 50; ++i) {                                       // ... and some connect
        clients.push_back(connect());
        ASSERT_TRUE(clients.back().send("?"));
      }
    }
    for (const Client& client : clients) ASSERT_EQ(client.receive(1), "?");
  }
}

TEST_P(Faults, D30NeverHasTwoThreadsOnOneConnection) {
  start();
  const Client client = connect();
  std::string sent;
  std::thread sender([&] {
    std::mt19937 random(2);
    for (int i = 0; i < repeat(3000, 20'000); ++i) {  // as many reports as possible
      const std::string piece = random_bytes(1 + random() % 64, random());
      ASSERT_TRUE(client.send(piece));
      sent += piece;
    }
    client.end_sending();
  });
  std::string echoed;
  for (std::string more; !(more = client.receive(512)).empty();) echoed += more;
  sender.join();
  EXPECT_TRUE(echoed == sent);
}

TEST_P(Faults, I51GoesOnWhenTheRingIsRefusedForAMoment) {
  if (!cell().backend->name.starts_with("io-uring")) GTEST_SKIP() << "there is no ring";
  start();
  const Client client = connect();
  const std::string sent = random_bytes(300'000, 1);
  for (const int error : {EINTR, EAGAIN, EBUSY}) {
    plan_[Site::enter].fail(error, 2);
    EXPECT_TRUE(client.exchange(sent) == sent) << error;
    EXPECT_TRUE(serves()) << error;
    EXPECT_GT(plan_[Site::enter].hits, 0U);
  }
  plan_[Site::enter].stop_failing();
}

TEST_P(Faults, I48ReceivesAgainWhenThereAreNoBuffersForAMoment) {
  if (cell().backend->name != "io-uring") GTEST_SKIP() << "there are no buffers to run out of";
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect());
  plan_[Site::receive].fail(ENOBUFS, 2);
  const std::string sent = random_bytes(100'000, 1);
  for (const Client& client : clients) {
    EXPECT_TRUE(client.ping());
    EXPECT_TRUE(client.exchange(sent) == sent);
  }
  EXPECT_GT(plan_[Site::receive].hits, 0U);
  plan_[Site::receive].stop_failing();
}

}  // namespace
}  // namespace muxlab::faults
