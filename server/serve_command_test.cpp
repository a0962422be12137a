#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "server/testing/client.hpp"
#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"

/// Tests the verb `serve` through the program.
namespace muxlab {
namespace {

using Json = nlohmann::json;
using test::Client;
using test::Outcome;
using test::run;
using test::run_without_io_uring;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// A server process; `options` as a user writes them.
struct ServerProcess : test::ServerProcess {
  explicit ServerProcess(const std::string& options) : test::ServerProcess(words_of(options)) {
    EXPECT_TRUE(listens()) << errors();
  }
};

TEST(Serve, SaysWhereItListensAndStopsOnSigterm) {
  ServerProcess server("--backend poll --threads 2");
  EXPECT_EQ(server.greeting(), fmt::format("listening on {} backend=poll threading=reuseport "
                                           "threads=2",
                                           server.address()));
  EXPECT_TRUE(Client(server.address()).ping());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
}

TEST(Serve, StopsOnSigint) {
  ServerProcess server("");
  server.signal(SIGINT);
  EXPECT_EQ(server.wait(), 0);
}

TEST(Serve, DrainsAtTheFirstSignalAndEndsAtTheSecond) {
  ServerProcess server("--drain 60m --stats -");
  const Client client(server.address());
  ASSERT_TRUE(client.ping());
  server.signal(SIGTERM);
  EXPECT_TRUE(client.at_end()) << "the server half-closes and waits for the client";
  server.signal(SIGINT);
  EXPECT_EQ(Json::parse(server.line())["accepted"], 1);
  EXPECT_EQ(server.wait(), 130);
}

TEST(Serve, KeepsToTheConnectionLimit) {
  ServerProcess server("--max-connections 1 --when-full refuse");
  const Client first(server.address());
  ASSERT_TRUE(first.ping());
  EXPECT_TRUE(Client(server.address()).is_cut_off());
}

TEST(Serve, WritesCountersOnRequestAndAtTheEnd) {
  ServerProcess server("--backend epoll-et --threads 2 --threading acceptor --drain 0s --stats -");
  const Client client(server.address());
  ASSERT_EQ(client.exchange("hello"), "hello");
  Json first;
  ASSERT_TRUE(test::eventually([&] {  // the client may have the echo before the server counts it
    server.signal(SIGUSR1);
    first = Json::parse(server.line());
    return first["echoes"] == 1;
  }));
  EXPECT_EQ(first["schema_version"], 1);
  EXPECT_EQ(first["accepted"], 1);
  EXPECT_EQ(first["bytes_in"], 5);
  EXPECT_EQ(first["bytes_out"], 5);
  EXPECT_EQ(first["threads"].size(), 3U) << "two serving threads and an acceptor";
  EXPECT_GE(first["syscalls"]["write"].get<int>(), 1);
  server.signal(SIGTERM);
  const Json last = Json::parse(server.line());
  EXPECT_EQ(last["closed"], 1);
  EXPECT_GT(last["monotonic_ns"], first["monotonic_ns"]);
  EXPECT_GE(last["cpu_ns"], first["cpu_ns"]);
  EXPECT_EQ(server.wait(), 0);
}

TEST(Serve, TimesSystemCallsWhenAskedTo) {
  ServerProcess timed("--backend poll --time-calls --drain 0s --stats -");
  ServerProcess untimed("--backend poll --drain 0s --stats -");
  for (ServerProcess* server : {&timed, &untimed}) {
    const Client client(server->address());
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.ping());
    server->signal(SIGTERM);
  }
  const Json last = Json::parse(timed.line());
  for (const char* const kind : {"wait", "read", "write", "clock"}) {
    EXPECT_GT(last["call_ns"][kind].get<int>(), 0) << kind;
  }
  EXPECT_EQ(last["threads"][0]["call_ns"]["read"], last["call_ns"]["read"]);
  EXPECT_EQ(last["kernel_threads_cpu_ns"]["iou-sqp"], 0);
  EXPECT_GE(last["events"].get<int>(), 2) << "a connection, and its data";
  EXPECT_FALSE(Json::parse(untimed.line()).contains("call_ns"));
}

TEST(Serve, WritesCountersToAFile) {
  const std::string path = fmt::format("{}/muxlab-stats-{}.json", testing::TempDir(), ::getpid());
  ServerProcess server("--stats " + path);
  ASSERT_TRUE(Client(server.address()).ping());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  std::ifstream file(path);
  EXPECT_EQ(Json::parse(file)["echoes"], 1);
  std::filesystem::remove(path);
}

TEST(Serve, LetsWorkersRearmWhereTheMechanismAllowsIt) {
  const auto waits_per_echo = [](const std::string& arguments) {
    ServerProcess server("--threading half-sync --stats - " + arguments);
    Client client(server.address());
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(client.ping());
    client.close();
    server.signal(SIGTERM);
    return Json::parse(server.line())["syscalls"]["wait"].get<int>() / 100;
  };
  EXPECT_EQ(waits_per_echo("--backend epoll-lt"), 1);
  EXPECT_EQ(waits_per_echo("--backend epoll-lt --rearm waiter"), 2);
  EXPECT_EQ(waits_per_echo("--backend poll"), 2);

  const Outcome refused = run("serve --threading half-sync --backend poll --rearm worker");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("--rearm worker is not for poll"), std::string::npos)
      << refused.output;
  EXPECT_EQ(run("serve --threading single --rearm worker").exit_code, 2);
}

TEST(Serve, HandsOutRoundRobin) {
  ServerProcess server("--threads 3 --threading acceptor --stats -");
  std::vector<Client> clients;
  for (int i = 0; i < 30; ++i) {
    clients.emplace_back(server.address());
    ASSERT_TRUE(clients.back().ping());
  }
  server.signal(SIGUSR1);
  const Json stats = Json::parse(server.line());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stats["threads"][i]["accepted"], 10);
}

TEST(Serve, RestartsOnTheSamePortAtOnce) {
  const std::string port = test::lasting_port();
  ServerProcess first("--drain 0s --port " + port);
  const Client client(first.address());
  ASSERT_TRUE(client.ping());
  first.signal(SIGTERM);
  ASSERT_EQ(first.wait(), 0);
  ServerProcess second("--threads 2 --port " + port);
  EXPECT_EQ(second.address(), first.address());
  EXPECT_TRUE(Client(second.address()).ping());
}

TEST(Serve, LeavesNoUnixSocketBehind) {
  const std::string path = fmt::format("{}/muxlab-serve-{}", testing::TempDir(), ::getpid());
  ServerProcess server("--threads 2 --unix " + path);
  EXPECT_NE(server.greeting().find("threading=acceptor"), std::string::npos) << server.greeting();
  EXPECT_TRUE(Client("unix:" + path).ping());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

struct Mistake {
  std::string arguments;
  int exit_code;
  std::string named;  ///< part of the message
};

TEST(Serve, NamesTheValueAndTheCure) {
  const ServerProcess busy("--threads 2");
  const std::string port = busy.port();
  const std::vector<Mistake> mistakes = {
      {"serve --backend kqueue", 2, "unknown backend kqueue: there are select poll"},
      {"serve --threading many", 2,
       "--threading many is unknown: there are single, reuseport, shared, acceptor, half-sync"},
      {"serve --notify smoke", 2, "--notify smoke is unknown: there are eventfd, pipe"},
      {"serve --threading single --threads 2", 2, "use reuseport or acceptor"},
      {"serve --threading reuseport --threads 2 --unix /tmp/x", 2, "use acceptor"},
      {"serve --threading half-sync --backend bufferevent", 2, "is not for bufferevent: it waits"},
      {"serve --when-full never", 2, "--when-full never is unknown: there are wait, refuse"},
      {"serve --idle-timeout soon", 2, "--idle-timeout \"soon\" is not a duration"},
      {"serve --max-connections 9m", 3, "connections: raise it to"},
      {"serve --max-connections 5k --backend libevent-select", 3, "which leaves 1003"},
      {"serve --threads 0", 2, "--threads 0 is out of range: from 1 to 1024"},
      {"serve --threads -1", 2, "--threads"},
      {"serve --port 70000", 2, "--port 70000 is out of range: from 0 to 65535"},
      {"serve --port 1 --unix /tmp/x", 2, "--port"},
      {"serve --host 192.0.2.1", 3, "192.0.2.1"},
      {"serve --host nowhere.invalid", 2, "--host nowhere.invalid"},
      {"serve --port " + port, 3, "is busy"},
      {"serve --threads 2 --port " + port, 3, "is busy"},
      {"serve --stats /no/such/folder/file", 3, "/no/such/folder/file"},
      {"serve --nonsense", 2, "--nonsense"},
      {"", 2, "muxlab"},
      {"frobnicate", 2, "unknown verb frobnicate: there are inspect serve"},
  };
  for (const Mistake& mistake : mistakes) {
    const Outcome outcome = run(mistake.arguments);
    EXPECT_EQ(outcome.exit_code, mistake.exit_code) << mistake.arguments << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(mistake.named), std::string::npos) << mistake.arguments << "\n"
                                                                     << outcome.output;
    EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 1) << outcome.output;
  }
}

TEST(Serve, SaysThatTheDescriptorLimitIsTooLow) {
  const Outcome outcome = run("serve --threads 8", "ulimit -n 40;");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.output.find("40 descriptors is too low for --threads 8"), std::string::npos)
      << outcome.output;
}

TEST(Serve, SaysWhyABackendDoesNotWork) {
  const Outcome outcome = run("serve --backend libevent-poll", "EVENT_NOPOLL=1");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.output.find("unset the environment variable EVENT_NOPOLL"), std::string::npos)
      << outcome.output;
}

TEST(Serve, SaysWhyThereIsNoIoUringAndTakesNothingElseForIt) {
  for (const std::string backend : {"io-uring", "io-uring-poll"}) {
    const Outcome forbidden = run_without_io_uring("serve --backend " + backend, EPERM);
    EXPECT_EQ(forbidden.exit_code, 3) << forbidden.output;
    EXPECT_NE(forbidden.output.find("seccomp profile that allows io_uring"), std::string::npos)
        << forbidden.output;
    const Outcome unknown = run_without_io_uring("serve --backend " + backend, ENOSYS);
    EXPECT_EQ(unknown.exit_code, 3) << unknown.output;
    EXPECT_NE(unknown.output.find("Linux 6.1"), std::string::npos) << unknown.output;
  }
}

}  // namespace
}  // namespace muxlab
