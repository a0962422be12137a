#include "server/live_echo.hpp"

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

TEST(LiveEcho, WhatAbortsHangsOrFailsHarmsNobody) {
  const std::array chosen = {&kAborts, find_backend("poll"), &kHangs, &kThrows,
                             find_backend("epoll-lt")};
  // The one that hangs takes all of it; the others are done long before, however busy the machine.
  const auto echoes = try_live_echoes(chosen, std::chrono::seconds(3));
  EXPECT_EQ(echoes[0].reason, "the server ended with Aborted");
  EXPECT_TRUE(echoes[1].passed) << echoes[1].reason;
  EXPECT_EQ(echoes[2].reason, "no echo within 3000 ms");
  EXPECT_EQ(echoes[3].reason, "backend throws does not work here: it is broken");
  EXPECT_TRUE(echoes[4].passed) << echoes[4].reason;
}

}  // namespace
}  // namespace muxlab
