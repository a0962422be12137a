#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "backends/backend.hpp"
#include "bench/load/connections.hpp"

namespace muxlab::test {

inline const auto kEngines = testing::Values(LoadEngine::epoll, LoadEngine::io_uring);

inline std::string name_of(LoadEngine engine) {
  return engine == LoadEngine::epoll ? "epoll" : "io_uring";
}

/// Skips the test where the machine does not have the engine. From SetUp(), or it would go on.
inline void require(LoadEngine engine) {
  if (engine != LoadEngine::io_uring) return;
  const Availability found = find_backend("io-uring")->probe();
  if (!found.works) GTEST_SKIP() << found.reason;
}

/// A test that is run on each engine.
class OnEachEngine : public testing::TestWithParam<LoadEngine> {
 protected:
  void SetUp() override { require(GetParam()); }

 public:
  static std::string name(const testing::TestParamInfo<LoadEngine>& info) {
    return name_of(info.param);
  }
};

/// One of several cases, on each engine.
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

}  // namespace muxlab::test
