#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "bench/load/load.hpp"
#include "bench/load/report.hpp"
#include "bench/load/test_engine.hpp"
#include "bench/load/test_server.hpp"
#include "bench/report/test_folder.hpp"
#include "server/testing/server_process.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::Fault;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class LoadEdgesOn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadEdgesOn, test::kEngines, test::OnEachEngine::name);

/// The window ends while the server stands still, and it goes on after that.
TEST_P(LoadEdgesOn, MessagesInFlightWhenTheWindowEndsAreInTheStatistics) {
  test::ServerProcess server({"--backend", "epoll-lt"});
  ASSERT_TRUE(server.listens());
  LoadOptions options = test::short_run(server.address(), GetParam());
  const UniqueFd interrupt(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
  options.interrupt = interrupt.get();
  options.duration = std::chrono::hours(1);
  options.depth = 2;
  std::jthread staller;
  options.on_window = [&] {
    staller = std::jthread([&] {
      std::this_thread::sleep_for(50ms);
      server.signal(SIGSTOP);
      siginfo_t stopped{};
      ::waitid(P_PID, static_cast<id_t>(server.pid()), &stopped, WSTOPPED);
      std::this_thread::sleep_for(50ms);
      static_cast<void>(::eventfd_write(interrupt.get(), 1));
      std::this_thread::sleep_for(450ms);
      server.signal(SIGCONT);
    });
  };
  const LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
  EXPECT_GE(report.tally.latency_ns.max(), 449'000'000U) << "sent before the window's end";
  EXPECT_THAT(why_not_trusted(options, report), testing::ElementsAre(HasSubstr("stood still")));
}

/// Those that never come back have taken so long at least.
TEST_P(LoadEdgesOn, MessagesThatAreGivenUpAreInTheStatistics) {
  const EchoServer server({.fault = Fault::silence, .on_connection = 1, .at_byte = 640});
  LoadOptions options = test::short_run(server.address(), GetParam());
  options.grace = 300ms;
  const LoadReport report = test::run_until(
      server, options, [](const auto&, const test::Connections& now) { return now.struck > 0; });
  EXPECT_EQ(report.tally.errors.of(LoadError::unanswered), 1U) << report.tally.first_error;
  EXPECT_GE(report.tally.latency_ns.max(), 299'000'000U);
}

TEST_P(LoadEdgesOn, ACorruptedFirstEchoIsShown) {
  const EchoServer server({.fault = Fault::corrupt, .on_every_connection = true});
  const LoadOptions options = test::short_run(server.address(), GetParam());
  try {
    run_load(options);
    ADD_FAILURE() << "it ran";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::failed);
    EXPECT_THAT(failure.what(), AllOf(HasSubstr("is no echo server"),
                                      HasSubstr("received bytes that are not those"),
                                      HasSubstr(": \""), Not(HasSubstr("running?"))));
  }
}

TEST(LoadEdges, IPv6Works) {
  const EchoServer server({.host = "::1"});
  const LoadReport report = run_load(test::short_run(server.address()));
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
  EXPECT_GT(report.tally.established, 0U);
}

/// Whichever of a name's addresses the server has, and in whichever order they are.
TEST(LoadEdges, EveryAddressOfANameIsTried) {
  const std::string unshare = "--user --map-root-user --mount";
  if (!may_unshare(unshare)) GTEST_SKIP() << "this machine does not permit: unshare " << unshare;
  const std::string hosts = testing::TempDir() + "hosts-" + std::to_string(::getpid());
  for (const char* const lines : {"::1 both\\n127.0.0.1 both", "127.0.0.1 both\\n::1 both"}) {
    for (const char* const host : {"127.0.0.1", "::1"}) {
      const EchoServer server({.host = host});
      const std::string address = server.address();
      const Said said = run_command(
          {"bash", "-c",
           fmt::format("printf '{}\\n' >'{}'; unshare {} bash -c \"mount --bind '{}' /etc/hosts && "
                       "exec '{}' load --connect both:{} --connections 2 --warmup 0 --duration "
                       "20ms\"; code=$?; rm '{}'; exit $code",
                       lines, hosts, unshare, hosts, MUXLAB_BINARY,
                       address.substr(address.rfind(':') + 1), hosts)});
      EXPECT_EQ(said.exit_code, 0) << host << " " << lines << ": " << said.errors;
    }
  }
}

TEST(LoadEdges, DiagnosticsThatCannotBeWrittenEndNothing) {
  const EchoServer server;
  for (const char* const errors : {"2>/dev/full", "2> >(true)"}) {
    const Said said = run_command(
        {"bash", "-c",
         fmt::format("'{}' load --connect {} --connections 2 --warmup 0 --duration 20ms --rate 1 "
                     "--gaps fixed {}",
                     MUXLAB_BINARY, server.address(), errors)});
    EXPECT_EQ(said.exit_code, 4) << errors;
    EXPECT_THAT(said.output, HasSubstr("open loop")) << errors;
  }
}

}  // namespace
}  // namespace muxlab
