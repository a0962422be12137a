#include "backends/parts/failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "bench/load/load.hpp"
#include "bench/load/test_engine.hpp"
#include "bench/load/test_server.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::Fault;
using testing::HasSubstr;

LoadOptions failing_run(const std::string& address, LoadEngine engine = LoadEngine::epoll) {
  LoadOptions options = test::short_run(address, engine);
  options.connections = 10;
  return options;
}

/// Of servers that leave connections waiting.
LoadOptions impatient_run(const std::string& address, LoadEngine engine) {
  LoadOptions options = failing_run(address, engine);
  options.connect_patience = 100ms;
  return options;
}

void expect_failure(const LoadOptions& options, ExitCode code, const std::string& part) {
  try {
    run_load(options);
    ADD_FAILURE() << "it ran";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), code);
    EXPECT_THAT(failure.what(), HasSubstr(part));
  }
}

/// The address of a server that was there a moment ago.
std::string deserted_address() { return EchoServer().address(); }

class LoadFailureOn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadFailureOn, test::kEngines, test::OnEachEngine::name);

TEST_P(LoadFailureOn, NobodyListens) {
  LoadOptions options = failing_run(deserted_address(), GetParam());
  expect_failure(options, ExitCode::unavailable, "Connection refused");
  options.threads = 3;
  expect_failure(options, ExitCode::unavailable, "Connection refused");
  options.connect = "unix:" + testing::TempDir() + "muxlab-nobody";
  expect_failure(options, ExitCode::unavailable, "No such file");
}

TEST_P(LoadFailureOn, EveryConnectionIsClosedAtOnce) {
  const EchoServer server({.fault = Fault::close, .on_every_connection = true});
  expect_failure(failing_run(server.address(), GetParam()), ExitCode::unavailable,
                 "closed by the server");
}

TEST_P(LoadFailureOn, ServerNeverReplies) {
  const EchoServer server({.fault = Fault::silence, .on_every_connection = true});
  expect_failure(impatient_run(server.address(), GetParam()), ExitCode::unavailable,
                 "does not echo");
}

TEST_P(LoadFailureOn, OneConnectionIsNeverServed) {
  const EchoServer server({.fault = Fault::silence, .on_connection = 4});
  LoadOptions options = impatient_run(server.address(), GetParam());
  options.threads = 2;
  expect_failure(options, ExitCode::unavailable, "nothing happened for 0.1 s");
}

TEST(LoadFailure, MoreConnectionsThanDescriptors) {
  LoadOptions options = failing_run(deserted_address());
  options.connections = 1;
  options.idle = 1'000'000'000;
  expect_failure(options, ExitCode::unavailable, "ulimit -Hn");
}

TEST(LoadFailure, OptionsThatContradictEachOther) {
  const LoadOptions good = failing_run(deserted_address());
  const auto with = [&](auto member, auto value) {
    LoadOptions options = good;
    options.*member = value;
    return options;
  };
  expect_failure(with(&LoadOptions::threads, 11U), ExitCode::usage,
                 "--threads 11 is more than --connections 10");
  expect_failure(with(&LoadOptions::threads, 0U), ExitCode::usage, "--threads 0");
  expect_failure(with(&LoadOptions::connections, 0U), ExitCode::usage, "--connections 0");
  expect_failure(with(&LoadOptions::size_bytes, 0U), ExitCode::usage, "--size 0");
  expect_failure(with(&LoadOptions::depth, 0U), ExitCode::usage, "--depth 0");
  expect_failure(with(&LoadOptions::duration, 0ns), ExitCode::usage, "--duration 0");
  expect_failure(with(&LoadOptions::duration, 25h), ExitCode::usage, "--duration is too long");
  expect_failure(with(&LoadOptions::warmup, 25h), ExitCode::usage, "--warmup is too long");
  expect_failure(with(&LoadOptions::connect, "nowhere"), ExitCode::usage, "HOST:PORT");
}

}  // namespace
}  // namespace muxlab
