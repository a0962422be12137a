#include "backends/parts/failure.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "bench/load/load.hpp"
#include "bench/load/testing.hpp"
#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"

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

/// Options for servers that never serve a connection.
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

/// Returns the address of a server that has just ended.
std::string deserted_address() { return EchoServer().address(); }

class LoadFailureOn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadFailureOn, test::kEngines, test::OnEachEngine::name);

TEST_P(LoadFailureOn, NobodyListens) {
  LoadOptions options = failing_run(deserted_address(), GetParam());
  expect_failure(options, ExitCode::unavailable, "Connection refused");
  options.threads = 3;
  expect_failure(options, ExitCode::unavailable, "Connection refused");
  options.connect = "unix:" + testing::TempDir() + "muxlab-absent";
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

namespace {

using namespace std::chrono_literals;
using test::Connections;
using test::EchoServer;
using test::Fault;
using test::run_until;
using test::short_run;

bool the_others_went_on(const Connections& before, const Connections& now) {
  return now.struck > 0 && now.bytes > before.bytes + 100'000;
}

/// Options with a shorter grace time, because a fault removes bytes that never arrive.
LoadOptions faulty_run(const std::string& address, LoadEngine engine) {
  LoadOptions options = short_run(address, engine);
  options.grace = std::chrono::seconds(1);
  return options;
}

using LoadOfDamage = test::CaseOnEachEngine<Fault>;

TEST_P(LoadOfDamage, IsCountedAndTheRunGoesOn) {
  const EchoServer server({.fault = which(), .on_connection = 1, .at_byte = 150});
  const LoadOptions options = faulty_run(server.address(), engine());
  const LoadReport report = run_until(server, options, the_others_went_on);
  const LoadErrors& errors = report.tally.errors;
  EXPECT_GE(errors.of(LoadError::mismatch), 1U);
  EXPECT_EQ(errors.total() - errors.of(LoadError::mismatch),
            errors.of(LoadError::unanswered) + errors.of(LoadError::timeout));
  EXPECT_LT(errors.total(), options.connections);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_EQ(report.tally.bytes_sent, report.tally.bytes_received + report.tally.bytes_missing);
}

INSTANTIATE_TEST_SUITE_P(Faults, LoadOfDamage,
                         testing::Combine(test::kEngines,
                                          testing::Values(Fault::corrupt, Fault::lose,
                                                          Fault::repeat, Fault::misroute)),
                         LoadOfDamage::name);

struct Loss {
  Fault fault;
  std::uint64_t at_byte;
  LoadError error;
};

/// Messages have 64 bytes. Byte 64 is the first after the message that establishes a connection,
/// and byte 191 the last of a message.
using LoadOfLoss = test::CaseOnEachEngine<Loss>;

TEST_P(LoadOfLoss, IsCountedByKindAndTheRunGoesOn) {
  const EchoServer server({.fault = which().fault, .on_connection = 1, .at_byte = which().at_byte});
  const LoadOptions options = faulty_run(server.address(), engine());
  const LoadReport report = run_until(server, options, the_others_went_on);
  EXPECT_EQ(report.tally.errors.of(which().error), 1U) << report.tally.first_error;
  EXPECT_EQ(report.tally.errors.total(), 1U);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_EQ(report.tally.bytes_sent, report.tally.bytes_received + report.tally.bytes_missing);
}

INSTANTIATE_TEST_SUITE_P(
    Losses, LoadOfLoss,
    testing::Combine(test::kEngines,
                     testing::Values(Loss{Fault::close, 150, LoadError::closed},
                                     Loss{Fault::reset, 150, LoadError::reset},
                                     Loss{Fault::close, 0, LoadError::closed},
                                     Loss{Fault::silence, 64, LoadError::timeout},
                                     Loss{Fault::silence, 150, LoadError::unanswered},
                                     Loss{Fault::lose, 191, LoadError::unanswered})),
    LoadOfLoss::name);

class LoadWithIdle : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadWithIdle, test::kEngines, test::OnEachEngine::name);

TEST_P(LoadWithIdle, WatchesThem) {
  // Idle connections are opened last and echo one byte, so the fault strikes each at once.
  const EchoServer server({.fault = Fault::repeat, .on_connection = 3, .at_byte = 0});
  LoadOptions options = short_run(server.address(), GetParam());
  options.idle = 1;
  const LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.of(LoadError::mismatch), 1U);
  EXPECT_TRUE(report.tally.first_error.starts_with("idle connection")) << report.tally.first_error;
}

}  // namespace

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

/// The window ends while the server is stopped; the server continues later.
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

/// The grace time is the least latency of a message that never comes back.
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

/// The server listens on either address of a name, in either order of the addresses.
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
