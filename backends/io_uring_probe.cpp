#include "backends/io_uring.hpp"
#include "backends/io_uring_features.hpp"
#include "backends/ring.hpp"

namespace muxlab {
namespace {

Availability probe_completion() {
  constexpr const char* kMend = "use Linux 6.1 or later";
  if (!accepts_many_times()) {
    return Availability::never("the kernel has no multishot accept", kMend);
  }
  if (!receives_into_buffer_ring()) {
    return Availability::never("the kernel has no ring of provided buffers", kMend);
  }
  return {};
}

}  // namespace

Availability probe_io_uring() { return probe_ring(probe_completion); }

extern const Backend io_uring_backend{
    .name = "io-uring",
    .summary =
        "io_uring, completion: a send and a receive for each echo, linked; the kernel picks "
        "buffers",
    .probe = probe_io_uring,
    .serve = [](Worker& worker) { serve_with_ring(worker, {}); },
    // A completion needs no call but the one that waits, which is also the one that asks.
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

extern const Backend io_uring_few_buffers_backend{
    .name = "io-uring-few-buffers",
    .summary = "control: io-uring with 64 buffers, which stay in the cache",
    .probe = probe_io_uring,
    .serve = [](Worker& worker) { serve_with_ring(worker, {.buffers = 64}); },
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

extern const Backend io_uring_large_receives_backend{
    .name = "io-uring-large-receives",
    .summary = "control: io-uring that receives up to 64 KiB at once",
    .probe = probe_io_uring,
    .serve = [](Worker& worker) { serve_with_ring(worker, {.receive_size = 4 * kBufferSize}); },
    .calls = CallsPerEcho{.read = 0, .write = 0},
    .connection_bytes = 4 * kBufferSize + 1024,
};

extern const Backend io_uring_poll_first_backend{
    .name = "io-uring-poll-first",
    .summary = "control: io-uring whose receives wait for input before they look for some",
    .probe = probe_io_uring,
    .serve = [](Worker& worker) { serve_with_ring(worker, {.polls_first = true}); },
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

}  // namespace muxlab
