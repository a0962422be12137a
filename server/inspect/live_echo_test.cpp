#include "server/inspect/live_echo.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace muxlab {
namespace {

const Backend kAborts{.name = "aborts",
                      .summary = "",
                      .probe = [] { return Availability(); },
                      .serve = [](Worker&) { std::abort(); }};
const Backend kHangs{.name = "hangs",
                     .summary = "",
                     .probe = [] { return Availability(); },
                     .serve =
                         [](Worker&) {
                           while (true) ::pause();
                         }};
const Backend kThrows{.name = "throws",
                      .summary = "",
                      .probe = [] { return Availability::never("it is broken", ""); },
                      .serve = nullptr};

TEST(LiveEcho, WhatAbortsOrFailsHarmsNobody) {
  const std::array chosen = {&kAborts, find_backend("poll"), &kThrows, find_backend("epoll-lt")};
  const auto echoes = try_live_echoes(chosen, std::chrono::minutes(1));
  EXPECT_EQ(echoes[0].reason, "the server ended with Aborted");
  EXPECT_TRUE(echoes[1].passed) << echoes[1].reason;
  EXPECT_EQ(echoes[2].reason, "backend throws does not work here: it is broken");
  EXPECT_TRUE(echoes[3].passed) << echoes[3].reason;
}

TEST(LiveEcho, WhatHangsIsKilled) {
  const std::array chosen = {&kHangs};
  const auto echoes = try_live_echoes(chosen, std::chrono::milliseconds(50));
  EXPECT_EQ(echoes[0].reason, "no echo within 50 ms");
}

}  // namespace
}  // namespace muxlab
