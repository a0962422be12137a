#include "server/trace/decoder.hpp"

#include <gmock/gmock.h>
#include <liburing.h>

#include <array>

namespace muxlab::trace {
namespace {

/// A submission queue in memory, as the program and the kernel see it.
struct Submissions {
  Submissions() {
    ring.sq.khead = &taken;
    ring.sq.kring_mask = &mask;
    ring.sq.sqes = entries.data();
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].opcode = IORING_OP_NOP;
  }

  std::array<io_uring_sqe, 4> entries{};
  unsigned taken = 0;  ///< by the kernel
  unsigned mask = 3;
  io_uring ring{};
};

TEST(TraceDecoder, ShowsEntriesThatTheKernelLeftInTheRing) {
  Submissions submissions;
  io_uring_sq& queue = submissions.ring.sq;
  queue.sqe_tail = 2;
  const MadeCall made{.name = "io_uring_submit_and_wait",
                      .call = Call::wait,
                      .arguments = {reinterpret_cast<std::uint64_t>(&submissions.ring), 1}};
  Decoder decoder;
  EXPECT_EQ(decoder.begun(made).arguments[1], "submit 2");

  // liburing publishes the entries, the system call fails, and the program adds another entry.
  queue.sqe_head = 2;
  EXPECT_EQ(decoder.begun(made).arguments[1], "submit 2");
  queue.sqe_tail = 3;
  const TracedCall call = decoder.begun(made);
  EXPECT_EQ(call.arguments[1], "submit 3");
  EXPECT_EQ(call.submits.size(), 3U);

  submissions.taken = 3;
  queue.sqe_head = 3;
  EXPECT_EQ(decoder.begun(made).arguments[1], "submit 0");
}

}  // namespace
}  // namespace muxlab::trace
