#include "backends/io_uring.hpp"

namespace muxlab {

extern const Backend io_uring_many_buffers_backend{
    .name = "io-uring-many-buffers",
    .summary = "control: io-uring that uses all its 512 buffers in turn from the start",
    .probe = probe_io_uring,
    .serve =
        [](Worker& worker) { serve_with_ring(worker, {.first_buffers = RingOptions{}.buffers}); },
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

extern const Backend io_uring_without_more_backend{
    .name = "io-uring-without-more",
    .summary = "control: io-uring that sends each piece of a message as if nothing followed",
    .probe = probe_io_uring,
    .serve = [](Worker& worker) { serve_with_ring(worker, {.more = 0}); },
    .calls = CallsPerEcho{.read = 0, .write = 0},
};

}  // namespace muxlab
