#include "server/kernel_threads.hpp"

#include <gtest/gtest.h>
#include <liburing.h>

#include <thread>

#include "server/testing/client.hpp"

namespace muxlab {
namespace {

/// Makes a ring that a kernel thread polls for submissions. That takes CPU time of the process, and
/// none of the calling thread.
void spin_in_the_kernel() {
  io_uring ring{};
  io_uring_params params{};
  params.flags = IORING_SETUP_SQPOLL;
  params.sq_thread_idle = 10'000;
  ASSERT_EQ(::io_uring_queue_init_params(4, &ring, &params), 0);
  EXPECT_TRUE(test::eventually([] { return kernel_threads_cpu_ns().value()[0] > 0; }));
  ::io_uring_queue_exit(&ring);
}

TEST(IoUring, TimeOfTheKernelsThreadsIsFound) {
  ASSERT_EQ(kernel_threads_cpu_ns().value()[0], 0U);
  // On its own thread: after a ring is gone, the kernel may interrupt its thread once more (EINTR).
  std::thread(spin_in_the_kernel).join();
}

}  // namespace
}  // namespace muxlab
