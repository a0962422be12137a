#include "bench/load/oracle.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "backends/parts/failure.hpp"
#include "server/server.hpp"

namespace muxlab {
namespace {

std::string board_file() {
  return fmt::format("{}/muxlab-load-oracle-{}", testing::TempDir(), ::getpid());
}

LoadOptions oracle_run(const std::string& address) {
  LoadOptions options;
  options.connect = address;
  options.oracle = board_file();
  options.warmup = std::chrono::milliseconds(1);
  options.duration = std::chrono::milliseconds(200);
  return options;
}

TEST(LoadOracle, TellsTheServerSoThatItNeverWaits) {
  ServeOptions serve;
  serve.oracle = board_file();
  serve.drain = {};
  const OracleBoard board = OracleBoard::create(board_file());
  const Server server(*find_backend("oracle"), serve);
  const auto begin = std::chrono::steady_clock::now();
  const LoadReport report = run_load(oracle_run(server.address()));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
  EXPECT_GT(report.tally.echoes, 0U);
  // Without reports it would wait once per echo; with them it polls epoll ten times a second.
  const WorkerStats& stats = server.stats()[0];
  EXPECT_LE(stats[Call::wait].get(),
            static_cast<std::uint64_t>(took / std::chrono::milliseconds(100)) + 20);
  EXPECT_FALSE(OracleBoard::open(board_file()).is_reporting());
}

TEST(LoadOracle, RefusesTheBoardOfAnotherServer) {
  ServeOptions serve;
  serve.oracle = board_file();
  serve.drain = {};
  const OracleBoard board = OracleBoard::create(board_file());
  const Server oracle(*find_backend("oracle"), serve);
  const Server other(*find_backend("poll"), {});
  EXPECT_THROW(run_load(oracle_run(other.address())), Failure);
  EXPECT_FALSE(OracleBoard::open(board_file()).is_reporting());
}

TEST(LoadOracle, RefusesWhatWouldMakeANoteWrong) {
  const auto refuses = [](void (*change)(LoadOptions&)) {
    LoadOptions options = oracle_run("127.0.0.1:1");
    options.connections = 2;
    change(options);
    try {
      check_oracle(options);
    } catch (const Failure& failure) {
      return failure.code() == ExitCode::usage;
    }
    return false;
  };
  EXPECT_FALSE(refuses([](LoadOptions&) {}));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.threads = 2; }));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.depth = 2; }));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.rate = 100; }));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.churn = 1; }));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.engine = LoadEngine::io_uring; }));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.size_bytes = kBufferSize + 1; }));
  EXPECT_TRUE(refuses([](LoadOptions& options) { options.connect = "unix:/tmp/x"; }));
  EXPECT_FALSE(refuses([](LoadOptions& options) {
    options.oracle.reset();
    options.depth = 2;
  }));
}

}  // namespace
}  // namespace muxlab
