#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <set>
#include <string>

#include "backends/backend.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

TEST(Registry, ListsEachBackendOnceAndFindsItByName) {
  std::set<std::string_view> names;
  for (const Backend* backend : backends()) {
    EXPECT_TRUE(names.insert(backend->name).second) << backend->name;
    EXPECT_EQ(find_backend(backend->name), backend);
    EXPECT_FALSE(backend->summary.empty());
  }
  EXPECT_EQ(names,
            (std::set<std::string_view>{"select", "poll", "epoll-lt", "epoll-et", "libevent-select",
                                        "libevent-poll", "libevent-epoll", "bufferevent", "libuv",
                                        "asio", "io-uring-poll", "io-uring", "threads"}));
  for (const Backend* control : controls()) EXPECT_EQ(find_backend(control->name), control);
  EXPECT_EQ(find_backend("devpoll"), nullptr);
}

TEST(Probe, EveryBackendWorksHere) {
  for (const Backend* backend : backends()) {
    EXPECT_TRUE(backend->probe().works) << backend->name << ": " << backend->probe().reason;
  }
}

/// Probes in a process of its own, under libevent's environment switches.
TEST(Probe, NamesTheSwitchThatDisablesAMethod) {
  ::setenv("EVENT_NOEPOLL", "1", 1);
  const Availability found = find_backend("libevent-epoll")->probe();
  ::unsetenv("EVENT_NOEPOLL");
  EXPECT_FALSE(found.works);
  EXPECT_NE(found.fix.find("EVENT_NOEPOLL"), std::string::npos) << found.fix;
  EXPECT_TRUE(find_backend("libevent-epoll")->probe().works);
}

TEST(Probe, LeavesNoChildAndNoDescriptorBehind) {
  const UniqueFd before(::dup(STDERR_FILENO));
  EXPECT_TRUE(find_backend("libevent-select")->probe().works);
  const UniqueFd after(::dup(STDERR_FILENO));
  EXPECT_EQ(after.get(), before.get() + 1);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(FdMap, GrowsToTheHighestDescriptor) {
  FdMap<int> map;
  EXPECT_EQ(map.find(7), nullptr);
  map[7] = 70;
  map[2] = 20;
  ASSERT_NE(map.find(7), nullptr);
  EXPECT_EQ(*map.find(7), 70);
  EXPECT_EQ(*map.find(3), 0);
  EXPECT_EQ(map.find(8), nullptr);
}

TEST(UniqueFd, ClosesOnceAndMoves) {
  int raw = ::dup(STDERR_FILENO);
  {
    UniqueFd first(raw);
    UniqueFd second(std::move(first));
    EXPECT_EQ(second.get(), raw);
    UniqueFd third;
    EXPECT_FALSE(third);
    third = std::move(second);
    EXPECT_TRUE(third);
  }
  EXPECT_EQ(::dup(STDERR_FILENO), raw) << "the lowest free descriptor is the one that was closed";
  ::close(raw);
}

}  // namespace
}  // namespace muxlab
