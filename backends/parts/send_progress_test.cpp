#include "backends/parts/send_progress.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "backends/parts/failure.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;

/// A server's socket and its client's.
struct Ends {
  Ends() {
    std::array<int, 2> both{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()), "socketpair");
    server.reset(both[0]);
    client.reset(both[1]);
  }
  void send() const { EXPECT_EQ(::send(server.get(), "0123456789", 10, MSG_NOSIGNAL), 10); }
  void receive() const {
    std::array<char, 10> buffer{};
    EXPECT_EQ(::recv(client.get(), buffer.data(), buffer.size(), 0), 10);
  }
  UniqueFd server, client;
};

TEST(SendProgress, IsOverAtOnceWhereNothingWasSent) {
  const Ends ends;
  EXPECT_FALSE(SendProgress().goes_on(ends.server.get()));
  EXPECT_FALSE(SendProgress().goes_on(-1));
}

/// Returns how often it goes on although nothing moves.
int looks_in_vain(SendProgress& progress, const Ends& ends) {
  int looks = 0;
  while (progress.goes_on(ends.server.get())) ++looks;
  return looks;
}

TEST(SendProgress, IsOverWhenSeveralLooksFindTheSame) {
  const Ends ends;
  ends.send();
  SendProgress progress;
  EXPECT_EQ(looks_in_vain(progress, ends), SendProgress::kLooks - 1);
}

TEST(SendProgress, GoesOnWhileTheClientReceivesInSteps) {
  const Ends ends;
  constexpr int kMessages = 6;
  for (int i = 0; i < kMessages; ++i) ends.send();
  SendProgress progress;
  EXPECT_TRUE(progress.goes_on(ends.server.get()));
  for (int i = 0; i < kMessages - 1; ++i) {
    for (int look = 0; look < SendProgress::kLooks - 2; ++look) {
      ASSERT_TRUE(progress.goes_on(ends.server.get())) << "between two steps";
    }
    ends.receive();
  }
  ends.receive();
  EXPECT_TRUE(progress.goes_on(ends.server.get())) << "the last step";
  EXPECT_FALSE(progress.goes_on(ends.server.get()));
}

TEST(IdleList, LeavesAClientThatStillReceives) {
  const Ends ends;
  const int fd = ends.server.get();
  ends.send();
  ends.send();
  IdleList list(800ms);
  list.touch(fd);
  const auto closes_at = [&](std::chrono::nanoseconds now) {
    bool closed = false;
    list.advance_to(now);
    EXPECT_FALSE(list.close_due([&](int due) {
      EXPECT_EQ(due, fd);
      list.remove(due);
      closed = true;
    }));
    return closed;
  };
  auto now = 900ms;
  for (int look = 1; look < SendProgress::kLooks; ++look, now += 900ms) {
    ASSERT_FALSE(closes_at(now)) << look;
  }
  list.advance_to(now);
  list.touch(fd);  // earlier looks count no more
  now += 900ms;
  for (int look = 1; look < SendProgress::kLooks; ++look, now += 900ms) {
    ASSERT_FALSE(closes_at(now)) << look;
  }
  EXPECT_TRUE(closes_at(now)) << "it receives nothing";
}

}  // namespace
}  // namespace muxlab
