#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <thread>
#include <tuple>

#include "backends/backend.hpp"
#include "bench/load/load.hpp"
#include "server/testing/echo_server.hpp"

namespace muxlab::test {

inline const auto kEngines = testing::Values(LoadEngine::epoll, LoadEngine::io_uring);

inline std::string name_of(LoadEngine engine) {
  return engine == LoadEngine::epoll ? "epoll" : "io_uring";
}

/// Skips the test if the engine does not work here. Must be called from SetUp(), or the test runs.
inline void require(LoadEngine engine) {
  if (engine != LoadEngine::io_uring) return;
  const Availability found = find_backend("io-uring")->probe();
  if (!found.works) GTEST_SKIP() << found.reason;
}

/// A test that runs on each engine.
class OnEachEngine : public testing::TestWithParam<LoadEngine> {
 protected:
  void SetUp() override { require(GetParam()); }

 public:
  static std::string name(const testing::TestParamInfo<LoadEngine>& info) {
    return name_of(info.param);
  }
};

/// A test that runs each case on each engine.
template <typename Case>
class CaseOnEachEngine : public testing::TestWithParam<std::tuple<LoadEngine, Case>> {
 protected:
  void SetUp() override { require(engine()); }
  LoadEngine engine() const { return std::get<0>(this->GetParam()); }
  const Case& which() const { return std::get<1>(this->GetParam()); }

 public:
  static std::string name(const testing::TestParamInfo<std::tuple<LoadEngine, Case>>& info) {
    return name_of(std::get<0>(info.param)) + "_" + std::to_string(info.index);
  }
};

/// Returns the options of a minimal load. Its grace time is long enough for a slow machine. A test
/// in which bytes never arrive must set a shorter one.
inline LoadOptions short_run(const std::string& address, LoadEngine engine = LoadEngine::epoll) {
  using namespace std::chrono_literals;
  LoadOptions options;
  options.connect = address;
  options.engine = engine;
  options.connections = 3;
  options.warmup = 5ms;
  options.duration = 60ms;
  options.grace = 30s;
  return options;
}

/// Runs a load until `is_enough(before, now)` is true for the server's counts at the begin of the
/// window and now. So the result does not depend on the speed of the machine.
template <typename IsEnough>
LoadReport run_until(const EchoServer& server, LoadOptions options, IsEnough is_enough) {
  const UniqueFd interrupt(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
  std::jthread interrupter;
  options.duration = std::chrono::hours(1);
  options.interrupt = interrupt.get();
  options.on_window = [&] {
    interrupter = std::jthread([&, before = server.connections()] {
      server.await([&](const Connections& now) { return is_enough(before, now); });
      static_cast<void>(::eventfd_write(interrupt.get(), 1));
    });
  };
  return run_load(options);
}

}  // namespace muxlab::test
