#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/testing/client.hpp"
#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"

/// Tests slow, lost or impossible output of `serve`: serving goes on, and it ends on a signal.
namespace muxlab {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;
using test::Client;
using test::eventually;

bool is_json(const std::string& text) { return Json::accept(text) && !text.empty(); }

std::string content_of(const fs::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Returns true when the server has read the last signal of that number.
bool has_taken(const test::ServerProcess& server, int signal) {
  std::ifstream status(server.proc() / "status");
  for (std::string key, value; status >> key && std::getline(status, value);) {
    if (key != "ShdPnd:") continue;
    return (std::stoull(value, nullptr, 16) >> (signal - 1) & 1) == 0;
  }
  return false;
}

/// Asks for counters `times` times, and waits each time so that no two signals merge.
void ask_for_counters(const test::ServerProcess& server, int times) {
  for (int i = 0; i < times; ++i) {
    server.signal(SIGUSR1);
    ASSERT_TRUE(eventually([&] { return has_taken(server, SIGUSR1); })) << "not read";
  }
}

class ServeStats : public testing::Test {
 protected:
  ServeStats() {
    std::string name = testing::TempDir() + "/muxlab-stats-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "stats";
  }
  ~ServeStats() override { fs::remove_all(folder_); }

  [[nodiscard]] std::vector<std::string> options() const {
    return {"--backend", "poll", "--stats", path_};
  }

  fs::path folder_;
  fs::path path_;
};

TEST_F(ServeStats, GoThroughAPipeWithAReader) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto line = [&] {
    std::string text(1 << 16, '\0');
    ssize_t size = 0;
    EXPECT_TRUE(eventually([&] {
      size = ::read(reader.get(), text.data(), text.size());
      return size > 0;
    }));
    return text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  test::ServerProcess server(options());
  ASSERT_TRUE(server.listens()) << server.errors();
  EXPECT_TRUE(Client(server.address()).ping());
  server.signal(SIGUSR1);
  EXPECT_TRUE(is_json(line()));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(Json::parse(line())["echoes"], 1);
  EXPECT_TRUE(fs::is_fifo(path_));
}

TEST_F(ServeStats, WaitForNoReaderOfAPipe) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  test::ServerProcess server(options());
  ASSERT_TRUE(server.listens()) << server.errors();
  ask_for_counters(server, 3);
  EXPECT_TRUE(Client(server.address()).ping());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 3);
  EXPECT_EQ(server.errors(),
            fmt::format("muxlab: cannot write --stats {}: it has no reader\n", path_.string()));
  EXPECT_TRUE(fs::is_fifo(path_));
}

TEST_F(ServeStats, LeaveLinksDevicesAndNeighboursAlone) {
  const fs::path target = folder_ / "target";
  std::ofstream(target) << "old";
  ::chmod(target.c_str(), 0604);
  fs::create_symlink("target", path_);
  const fs::path neighbour = folder_ / "stats.tmp";
  std::ofstream(neighbour) << "mine";
  const fs::path device = folder_ / "device";
  fs::create_symlink("/dev/null", device);
  for (const fs::path& output : {path_, device}) {
    test::ServerProcess server({"--stats", output});
    ASSERT_TRUE(server.listens()) << server.errors();
    ask_for_counters(server, 2);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0) << server.errors();
  }
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_TRUE(is_json(content_of(target)));
  EXPECT_EQ(fs::status(target).permissions(), fs::perms(0604));
  EXPECT_EQ(content_of(neighbour), "mine");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(ServeStats, ThatCannotBeWrittenAreNamedOnceAndServingGoesOn) {
  const fs::path gone = folder_ / "gone";
  fs::create_directory(gone);
  fs::create_symlink("/dev/full", path_);
  for (const fs::path& output : {gone / "stats", path_}) {
    test::ServerProcess server({"--stats", output});
    ASSERT_TRUE(server.listens()) << server.errors();
    fs::remove_all(gone);
    ask_for_counters(server, 3);
    EXPECT_TRUE(Client(server.address()).ping());
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 3) << "the last counters are lost";
    const std::string said = server.errors();
    EXPECT_TRUE(said.starts_with("muxlab: cannot write --stats " + output.string())) << said;
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
  }
}

TEST_F(ServeStats, AreWrittenAgainWhenTheyCanBe) {
  const fs::path moved = folder_ / "moved";
  fs::create_directory(moved);
  test::ServerProcess server({"--stats", moved / "stats"});
  ASSERT_TRUE(server.listens()) << server.errors();
  fs::remove_all(moved);
  ask_for_counters(server, 1);
  EXPECT_TRUE(eventually([&] { return !server.errors().empty(); }));
  fs::create_directory(moved);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_TRUE(is_json(content_of(moved / "stats")));
}

TEST_F(ServeStats, AreRefusedWhereTheyCanNeverBe) {
  for (const std::string& output : {std::string("''"), folder_.string(), path_.string()}) {
    if (output == path_) fs::create_symlink("nothing", path_);
    const test::Outcome outcome = test::run("serve --stats " + output);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    EXPECT_TRUE(outcome.output.starts_with("muxlab: --stats ")) << outcome.output;
    EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 1) << outcome.output;
  }
  EXPECT_TRUE(fs::is_symlink(path_));
}

/// Shrinks the pipe to a few lines, so that it is soon full.
void shrink_stdout() { ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 4096); }

TEST_F(ServeStats, GoBehindTheGreetingWhereTheFileIsStdout) {
  const auto file_as_stdout = [&] {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(file, STDOUT_FILENO);
  };
  for (const std::string& output : {std::string("/proc/self/fd/1"), path_.string()}) {
    fs::remove(path_);
    test::ServerProcess server({"--stats", output}, {.prepare = file_as_stdout});
    ASSERT_TRUE(eventually([&] { return content_of(path_).ends_with('\n'); })) << server.errors();
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    const std::string text = content_of(path_);
    EXPECT_TRUE(text.starts_with("listening on ")) << text;
    EXPECT_TRUE(is_json(text.substr(text.find('\n') + 1))) << text;
  }
}

TEST_F(ServeStats, WaitForNoReaderOfStdout) {
  test::ServerProcess server({"--stats", "-", "--drain", "100ms"}, {.prepare = shrink_stdout});
  ASSERT_TRUE(server.listens()) << server.errors();
  ask_for_counters(server, 300);
  EXPECT_TRUE(Client(server.address()).ping());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 3) << "the last counters are lost";
  EXPECT_EQ(std::ranges::count(server.errors(), '\n'), 1) << server.errors();
}

TEST_F(ServeStats, AreWholeLinesForAReaderThatIsSlow) {
  test::ServerProcess server({"--stats", "-"}, {.prepare = shrink_stdout});
  ASSERT_TRUE(server.listens()) << server.errors();
  ask_for_counters(server, 30);
  EXPECT_TRUE(Client(server.address()).ping());
  ask_for_counters(server, 1);
  for (Json last = Json::object(); last.value("accepted", 0) == 0;) {  // the newest is never lost
    const std::string line = server.line();
    ASSERT_TRUE(is_json(line)) << line;
    last = Json::parse(line);
  }
  server.signal(SIGTERM);
  EXPECT_EQ(Json::parse(server.line())["closed"], 1);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(server.errors(), "muxlab: cannot write to stdout: its reader is slow\n");
}

TEST(ServeGreeting, ThatIsLostDoesNotEndServing) {
  const std::string port = test::lasting_port();
  const auto full_stdout = [] {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ::dup2(full, STDOUT_FILENO);
  };
  test::ServerProcess server({"--port", port}, {.prepare = full_stdout});
  EXPECT_TRUE(eventually([&] { return !server.errors().empty(); }));
  EXPECT_TRUE(Client("127.0.0.1:" + port).ping());
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 3);
  EXPECT_EQ(server.errors(), "muxlab: cannot write to stdout: No space left on device\n");
}

// Broken kinds of stderr.

void close_stderr() { ::close(STDERR_FILENO); }

void fill_disk_of_stderr() { ::dup2(::open("/dev/full", O_WRONLY | O_CLOEXEC), STDERR_FILENO); }

void take_reader_from_stderr() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) ::_exit(1);
  ::dup2(ends[1], STDERR_FILENO);
  ::signal(SIGPIPE, SIG_DFL);
}

void fill_pipe_of_stderr() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) ::_exit(1);  // the server itself keeps the reader open
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::array<char, 4096> page{};
  while (::write(ends[1], page.data(), page.size()) > 0) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
  ::dup2(ends[1], STDERR_FILENO);
}

/// Waits until all threads wait. Before that, a thread may still open descriptors.
bool all_threads_wait(test::ServerProcess& server) {
  return eventually([&] {
    const Json stats = server.stats();
    return stats.contains("threads") && std::ranges::all_of(stats["threads"], [](const Json& one) {
             return one["syscalls"]["wait"] > 0;
           });
  });
}

class ServeWithoutStderr : public testing::TestWithParam<const char*> {};

TEST_P(ServeWithoutStderr, OutlivesWhatItHasToSay) {
  for (auto* const prepare :
       {close_stderr, fill_disk_of_stderr, take_reader_from_stderr, fill_pipe_of_stderr}) {
    test::ServerProcess server({"--backend", GetParam(), "--threads", "2", "--stats", "-"},
                               {.prepare = prepare});
    ASSERT_TRUE(server.listens());
    ASSERT_TRUE(all_threads_wait(server));
    server.limit_descriptors(server.descriptors() + 3);
    std::vector<Client> clients;
    for (int i = 0; i < 20; ++i) {
      clients.emplace_back(server.address());
      ASSERT_TRUE(clients.back().send("?"));
    }
    // Without descriptors the server has retried, so it had to log.
    const auto waits = [&] { return server.stats().value("/syscalls/wait"_json_pointer, 0); };
    ASSERT_TRUE(eventually([&] { return server.stats().value("accepted", 0) > 0; }));
    const int before = waits();
    EXPECT_TRUE(eventually([&] { return server.wait({}) || waits() > before + 4; }));
    ASSERT_EQ(server.wait({}), std::nullopt) << "it ended";
    server.limit_descriptors(RLIM_INFINITY);
    for (const Client& client : clients) EXPECT_EQ(client.receive(1), "?");
    clients.clear();
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Some, ServeWithoutStderr,
                         testing::Values("epoll-lt", "libevent-epoll", "libuv", "threads"));

}  // namespace
}  // namespace muxlab
