#include "backends/io_uring.hpp"
#include "backends/io_uring_features.hpp"
#include "backends/ring.hpp"

namespace muxlab {
namespace {

Availability probe_completion() {
  constexpr const char* kFix = "use Linux 6.1 or later";
  if (!accepts_many_times()) {
    return Availability::never("the kernel has no multishot accept", kFix);
  }
  if (!receives_into_buffer_ring()) {
    return Availability::never("the kernel has no ring of provided buffers", kFix);
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
    // Completions need only the waiting call, which also submits.
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

}  // namespace muxlab
