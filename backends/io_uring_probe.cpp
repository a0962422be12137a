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
  if (!receives_many_times()) {
    return Availability::never("the kernel has no multishot receive into provided buffers", kMend);
  }
  return {};
}

}  // namespace

extern const Backend io_uring_backend{
    .name = "io-uring",
    .summary = "io_uring, completion: multishot accept and receive, buffers that the kernel picks",
    .probe = [] { return probe_ring(probe_completion); },
    .serve = [](Worker& worker) { serve_with_ring(worker, {}); },
    // A completion needs no call but the one that waits, which is also the one that asks.
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

extern const Backend io_uring_one_shot_backend{
    .name = "io-uring-one-shot",
    .summary = "io-uring with one receive at a time",
    .probe = [] { return probe_ring(probe_completion); },
    .serve = [](Worker& worker) { serve_with_ring(worker, {.multishot = false}); },
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

extern const Backend io_uring_few_buffers_backend{
    .name = "io-uring-few-buffers",
    .summary = "io-uring with 64 buffers",
    .probe = [] { return probe_ring(probe_completion); },
    .serve = [](Worker& worker) { serve_with_ring(worker, {.buffers = 64}); },
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

extern const Backend io_uring_told_backend{
    .name = "io-uring-told",
    .summary = "io-uring that is told of each send",
    .probe = [] { return probe_ring(probe_completion); },
    .serve = [](Worker& worker) { serve_with_ring(worker, {.quiet_sends = false}); },
    .calls = CallsPerEcho{.events = 2, .read = 0, .write = 0},
};

}  // namespace muxlab
