#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>

#include "backends/buffer_ring.hpp"
#include "backends/failure.hpp"
#include "backends/io_uring.hpp"
#include "backends/io_uring_client.hpp"
#include "backends/ring.hpp"

namespace muxlab {
namespace {

/// What the only request that was prepared results in.
io_uring_cqe result_of_one(Ring& ring) {
  ring.submit_and_wait();
  const io_uring_cqe result = ring.completion(0);
  ring.seen(1);
  return result;
}

/// The kernel tells which operations it knows, but not which flags: only trying does.
bool receives_many_times() {
  BufferRing buffers(8, kReceiveSize);
  Ring ring(8, 16);
  buffers.offer_to(ring);
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  checked(static_cast<int>(::send(theirs.get(), "?", 1, MSG_NOSIGNAL)), "send");
  io_uring_sqe* const entry = ring.entry();
  io_uring_prep_recv_multishot(entry, ours.get(), nullptr, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = BufferRing::kGroup;
  const io_uring_cqe result = result_of_one(ring);
  constexpr unsigned kExpected = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
  return result.res == 1 && (result.flags & kExpected) == kExpected;
}

bool accepts_many_times() {
  Ring ring(8, 16);
  const UniqueFd listener(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const sockaddr_un any{.sun_family = AF_UNIX, .sun_path = {}};  // a name of the kernel's choice
  checked(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family),
          "bind");
  checked(::listen(listener.get(), 1), "listen");
  sockaddr_un name{};
  socklen_t size = sizeof name;
  checked(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  const UniqueFd client(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  checked(::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), size), "connect");
  io_uring_sqe* const entry = ring.entry();
  io_uring_prep_multishot_accept(entry, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
  const io_uring_cqe result = result_of_one(ring);
  if (result.res < 0) return false;
  const UniqueFd accepted(result.res);
  return (result.flags & IORING_CQE_F_MORE) != 0;
}

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
