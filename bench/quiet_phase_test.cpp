#include "bench/quiet_phase.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <limits>

#include "backends/failure.hpp"
#include "backends/unique_fd.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;

TEST(QuietPhase, EndsTheWaitAsSoonAsItIsThere) {
  int asked = 0;
  const auto canary = [&] { return ++asked < 4 ? 150.0 : 110.0; };
  EXPECT_GE(await_quiet_phase(canary, 115, 1h, -1), 150ms);
  EXPECT_EQ(asked, 4);
}

TEST(QuietPhase, IsNotWaitedForWhereItIs) {
  int asked = 0;
  static_cast<void>(await_quiet_phase([&] { return ++asked, 100.0; }, 115, 1h, -1));
  EXPECT_EQ(asked, 1);
  const double infinity = std::numeric_limits<double>::infinity();
  static_cast<void>(await_quiet_phase([&] { return ++asked, 100.0; }, infinity, 1h, -1));
  EXPECT_EQ(asked, 2) << "the first trial of a campaign knows nothing to compare with";
}

TEST(QuietPhase, IsNotWaitedForWhereItCannotBeSeen) {
  int asked = 0;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  static_cast<void>(await_quiet_phase([&] { return ++asked, nan; }, 115, 1h, -1));
  EXPECT_EQ(asked, 1);
}

TEST(QuietPhase, IsNotWaitedForForEver) {
  int asked = 0;
  EXPECT_GE(await_quiet_phase([&] { return ++asked, 150.0; }, 115, 120ms, -1), 120ms);
  EXPECT_GE(asked, 2);
  asked = 0;
  static_cast<void>(await_quiet_phase([&] { return ++asked, 150.0; }, 115, 0ns, -1));
  EXPECT_EQ(asked, 1) << "without patience";
}

TEST(QuietPhase, DoesNotKeepWhoeverInterrupts) {
  const UniqueFd interrupt(checked(::eventfd(1, EFD_CLOEXEC), "eventfd"));
  int asked = 0;
  static_cast<void>(await_quiet_phase([&] { return ++asked, 150.0; }, 115, 1h, interrupt.get()));
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace muxlab
