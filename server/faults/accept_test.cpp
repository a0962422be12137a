#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "backends/parts/descriptor_limit.hpp"
#include "server/faults/faults.hpp"

/// Tests accepting, and its limits.
namespace muxlab::faults {
namespace {

using namespace std::chrono_literals;

TEST_P(Faults, A01ServesExactlyAsManyAsThereArePlaces) {
  constexpr std::size_t kPlaces = 8;
  start({"--max-connections", std::to_string(kPlaces)});
  std::vector<Client> clients(2 * kPlaces);
  std::vector<std::thread> dialers;
  for (Client& client : clients) {  // at once, so that all accepting threads compete
    dialers.emplace_back([&] {
      client = connect();
      EXPECT_TRUE(client.send("?"));
    });
  }
  for (std::thread& dialer : dialers) dialer.join();
  EXPECT_TRUE(eventually([&] { return count("echoes") == kPlaces; }));
  EXPECT_EQ(count("accepted"), kPlaces);

  std::vector<std::chrono::nanoseconds> waits;
  while (clients.size() > kPlaces) {  // each client that leaves frees a place
    const auto served = std::ranges::find_if(clients, &Client::has_input);
    ASSERT_NE(served, clients.end());
    clients.erase(served);
    const auto gone = std::chrono::steady_clock::now();
    const auto echoes = 2 * kPlaces - clients.size() + kPlaces;
    EXPECT_TRUE(eventually([&] { return count("echoes") == echoes; }));
    waits.push_back(std::chrono::steady_clock::now() - gone);
    EXPECT_LE(count("accepted") - count("closed"), kPlaces);
  }
  // The machine may delay some, but not all.
  EXPECT_LE(std::ranges::min(waits), soon(100)) << "until a free place is taken";
}

TEST_P(Faults, A01RefusesBeyondThePlacesWhenAskedTo) {
  constexpr std::uint64_t kPlaces = 8;
  start({"--max-connections", std::to_string(kPlaces), "--when-full", "refuse"});
  std::vector<Client> served;
  for (std::uint64_t i = 0; i < kPlaces; ++i) {
    served.push_back(connect());
    ASSERT_TRUE(served.back().ping());
  }
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(connect().is_cut_off());
  EXPECT_EQ(count("refused"), 8U);
  served.pop_back();
  EXPECT_TRUE(eventually([&] { return serves(); }));
}

bool all_served(const std::vector<Client>& clients) {
  return std::ranges::all_of(clients,
                             [](const Client& client) { return client.receive(1) == "?"; });
}

TEST_P(Faults, A02PausesWhenDescriptorsRunOut) {
  plan_->accept_singly = true;
  start();
  server().limit_descriptors(server().descriptors() + 10);
  std::vector<Client> clients = ask(40);
  EXPECT_TRUE(eventually([&] { return !server().errors().empty(); })) << "it logs nothing";
  EXPECT_TRUE(settles_at(0.05));
  EXPECT_LT(count("echoes"), 40U);
  allow_a_log_line_per_second();
  server().limit_descriptors(RLIM_INFINITY);
  EXPECT_TRUE(all_served(clients)) << "a client was lost";
  EXPECT_EQ(count("refused"), 0U);
}

TEST_P(Faults, A02ResumesWhenAConnectionGoes) {
  plan_->accept_singly = true;
  start();
  server().limit_descriptors(server().descriptors() + 10);
  std::vector<Client> clients = ask(40);
  allow_a_log_line_per_second();
  while (!clients.empty()) {
    std::size_t before = clients.size();
    EXPECT_TRUE(eventually([&] {
      std::erase_if(clients, &Client::has_input);
      return clients.size() < before;
    })) << clients.size()
        << " clients are lost";
    if (clients.size() == before) break;
  }
}

TEST_P(Faults, A03PausesWhenTheKernelRunsOutOfMemoryOrFiles) {
  plan_->accept_singly = true;
  start();
  allow_a_log_line_per_second();
  for (const int error : {ENFILE, ENOMEM, ENOBUFS}) {
    plan_[Site::accept].fail(error);
    const std::vector<Client> clients = ask(10);
    EXPECT_TRUE(eventually([&] { return plan_[Site::accept].hits >= 2; })) << "it does not retry";
    EXPECT_TRUE(settles_at(0.05)) << error;
    plan_[Site::accept].stop_failing();
    EXPECT_TRUE(all_served(clients)) << error;
  }
}

TEST_P(Faults, A04KeepsTheListenerWhenOneConnectionCannotBeAccepted) {
  plan_->accept_singly = true;
  start();
  for (const int error : {EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN,
                          ENONET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT}) {
    plan_[Site::accept].fail(error, 1, 3);
    EXPECT_TRUE(serves()) << error;
    EXPECT_TRUE(eventually([&] { return plan_[Site::accept].hits == 3; })) << error;
  }
}

TEST_P(Faults, A05OutlivesConnectionsThatAreResetBeforeTheyAreAccepted) {
  start();
  {
    const Stopped stopped(server());
    for (int i = 0; i < 20; ++i) connect().reset();
  }
  EXPECT_TRUE(serves());
}

/// Returns a socket whose connection is not established yet.
UniqueFd dial(const std::string& port) {
  UniqueFd socket(
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 &&
      errno != EINPROGRESS) {
    throw_errno("connect");
  }
  return socket;
}

TEST_P(Faults, A06ServesABurstGreaterThanTheBacklog) {
  start();
  std::vector<UniqueFd> sockets;
  {
    const Stopped stopped(server());
    const int burst = repeat(1000, 5000);
    for (int i = 0; i < burst; ++i) sockets.push_back(dial(server().port()));
  }
  constexpr timeval kLong{.tv_sec = 60, .tv_usec = 0};  // a lost SYN is sent again after 1, 3, 7 s
  std::size_t failed = 0;
  for (UniqueFd& socket : sockets) {
    ::fcntl(socket.get(), F_SETFL, 0);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kLong, sizeof kLong);
    pollfd connected{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    ::poll(&connected, 1, 60'000);
    char byte = '?';
    const bool served =
        ::send(socket.get(), &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(socket.get(), &byte, 1, 0) == 1;
    if (!served) ++failed;
    const linger abort{.l_onoff = 1, .l_linger = 0};  // leaves no port in TIME_WAIT
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    socket.reset();
  }
  EXPECT_EQ(failed, 0U);
}

TEST_P(Faults, A07ServesOrRefusesMoreConnectionsThanFdSetsize) {
  constexpr std::size_t kMany = FD_SETSIZE + 100;
  if (cell().backend->probe().max_descriptor < FD_SETSIZE) {
    std::vector<std::string> too_many = options();
    too_many.insert(too_many.end(), {"--max-connections", std::to_string(kMany)});
    test::ServerProcess refused(too_many);
    EXPECT_FALSE(refused.listens());
    EXPECT_EQ(refused.wait(), 3);
    EXPECT_NE(refused.errors().find(std::to_string(FD_SETSIZE)), std::string::npos)
        << refused.errors();
    start();  // without --max-connections it serves as many as it can
    EXPECT_TRUE(serves());
    return;
  }
  start();
  std::vector<Client> clients;
  for (std::size_t i = 0; i < kMany; ++i) clients.push_back(connect());
  for (const Client& client : clients) ASSERT_TRUE(client.ping());
}

TEST_P(Faults, A08SaysThatTheDescriptorLimitIsTooLow) {
  test::Surroundings tight = surroundings();
  tight.descriptors = 16;
  test::ServerProcess server(options(), tight);
  EXPECT_FALSE(server.listens());
  EXPECT_EQ(server.wait(), 3);
  const std::string said = server.errors();
  EXPECT_NE(said.find("16"), std::string::npos) << said;
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

TEST_P(Faults, A09CountsEveryConnectionOfMany) {
  start();
  // All cells together open and close a million connections.
  const int rounds = repeat(300, share_of(1'100'000));
  for (int i = 0; i < rounds; ++i) {
    Client client = connect();
    switch (i % 8) {
      case 0:
        ASSERT_TRUE(client.ping());
        client.end_sending();
        ASSERT_TRUE(client.at_end());
        break;
      case 1:
        ASSERT_TRUE(client.ping());
        break;
      case 2:
        break;  // sends no byte
      case 3:
        ASSERT_TRUE(client.send("unread"));
        break;
      default:
        ASSERT_TRUE(client.ping());
        client.reset();  // most of them: TIME_WAIT would block the port for a minute
    }
  }
  EXPECT_TRUE(eventually([&] { return count("closed") == static_cast<std::uint64_t>(rounds); }));
  EXPECT_EQ(count("accepted"), static_cast<std::uint64_t>(rounds));
}

TEST_P(Faults, A10ServesNineThousandConnectionsAtOnce) {
  if (cell().backend->probe().max_descriptor < FD_SETSIZE) {
    GTEST_SKIP() << "the backend has no descriptors for so many; A07 sees to that";
  }
  raise_descriptor_limit();
  const int many = bearable(repeat(1500, 9000));
  start();
  std::vector<Client> clients = ask(many);
  EXPECT_TRUE(all_served(clients));
  EXPECT_EQ(count("accepted"), static_cast<std::uint64_t>(many));
  EXPECT_EQ(count("closed"), 0U);
  EXPECT_EQ(count("refused"), 0U);
  for (Client& client : clients) client.reset();
}

TEST_P(Faults, A10ServesAllWhoCameWhileItWasStuck) {
  constexpr int kMany = 1200;  // more than one turn or its buffers serve
  const bool few_descriptors = cell().backend->probe().max_descriptor < FD_SETSIZE;
  start();
  std::vector<Client> clients;
  {
    const Stopped stopped(server());
    clients = ask(few_descriptors ? FD_SETSIZE / 2 : kMany);
  }
  EXPECT_TRUE(all_served(clients));
  for (Client& client : clients) client.reset();
}

}  // namespace
}  // namespace muxlab::faults
