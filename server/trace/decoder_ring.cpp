#include <fmt/format.h>
#include <liburing.h>
#include <sys/socket.h>

#include <array>
#include <string_view>

#include "server/trace/decoder.hpp"

namespace muxlab::trace {
namespace {

constexpr std::array<Flag, 9> kOperations = {{{IORING_OP_NOP, "nop"},
                                              {IORING_OP_POLL_ADD, "poll_add"},
                                              {IORING_OP_POLL_REMOVE, "poll_remove"},
                                              {IORING_OP_TIMEOUT, "timeout"},
                                              {IORING_OP_ACCEPT, "accept"},
                                              {IORING_OP_ASYNC_CANCEL, "cancel"},
                                              {IORING_OP_SEND, "send"},
                                              {IORING_OP_RECV, "recv"},
                                              {IORING_OP_CLOSE, "close"}}};

io_uring* ring_of(const MadeCall& made) {
  return reinterpret_cast<io_uring*>(made.arguments[0]);  // NOLINT(performance-no-int-to-ptr)
}

bool has_descriptor(const io_uring_sqe& entry) {
  return entry.opcode != IORING_OP_TIMEOUT && entry.opcode != IORING_OP_ASYNC_CANCEL &&
         entry.opcode != IORING_OP_POLL_REMOVE && entry.opcode != IORING_OP_NOP;
}

bool is_multishot(const io_uring_sqe& entry) {
  switch (entry.opcode) {
    case IORING_OP_ACCEPT:
      return (entry.ioprio & IORING_ACCEPT_MULTISHOT) != 0;
    case IORING_OP_RECV:
      return (entry.ioprio & IORING_RECV_MULTISHOT) != 0;
    case IORING_OP_POLL_ADD:
      return (entry.len & IORING_POLL_ADD_MULTI) != 0;
    default:
      return false;
  }
}

std::vector<std::string> details_of(const io_uring_sqe& entry) {
  std::vector<std::string> details;
  if (entry.opcode == IORING_OP_POLL_ADD) details.push_back(poll_events(entry.poll32_events));
  if (entry.opcode == IORING_OP_SEND) details.push_back(fmt::format("{} bytes", entry.len));
  if (is_multishot(entry)) details.emplace_back("multishot");
  if ((entry.flags & IOSQE_BUFFER_SELECT) != 0) details.emplace_back("into a buffer of the ring");
  const bool sends = entry.opcode == IORING_OP_SEND;
  if (sends && (entry.msg_flags & MSG_DONTWAIT) != 0) details.emplace_back("without waiting");
  if ((entry.flags & IOSQE_CQE_SKIP_SUCCESS) != 0) details.emplace_back("no completion on success");
  if ((entry.flags & IOSQE_IO_LINK) != 0) details.emplace_back("linked to the next");
  return details;
}

}  // namespace

/// The call submits new entries, and those that the kernel left in the ring before.
void Decoder::ask_ring(const MadeCall& made, TracedCall& call) {
  const io_uring& ring = *ring_of(made);
  const std::string_view name = made.name;
  const std::uint64_t waits_for = name == "io_uring_submit_and_wait" ? made.arguments[1] : 0;
  const unsigned count = io_uring_sq_ready(&ring);
  call.name = "io_uring_enter";
  call.arguments = {names_.of(ring.ring_fd), fmt::format("submit {}", count),
                    fmt::format("wait for {}", waits_for)};
  for (unsigned entry = ring.sq.sqe_tail - count; entry != ring.sq.sqe_tail; ++entry) {
    call.submits.push_back(request_of(ring.sq.sqes[entry & *ring.sq.kring_mask]));
  }
}

RingRequest Decoder::request_of(const io_uring_sqe& entry) {
  RingRequest request{.operation = value_text(entry.opcode, kOperations)};
  if (has_descriptor(entry)) {
    request.fd = entry.fd;
    request.descriptor = names_.of(entry.fd);
  }
  request.details = details_of(entry);
  if (entry.opcode == IORING_OP_ASYNC_CANCEL) {
    const auto cancelled = requested_.find(entry.addr);
    if (cancelled != requested_.end()) {
      request.operation += ' ' + cancelled->second.operation;
      request.descriptor = cancelled->second.descriptor;
      request.fd = cancelled->second.fd;
    }
  }
  requested_[entry.user_data] = request;
  return request;
}

/// Skips completions that were reported before and are still in the ring.
void Decoder::complete(const MadeCall& made, TracedCall& call) {
  const io_uring& ring = *ring_of(made);
  const unsigned head = *ring.cq.khead;
  const unsigned tail = head + io_uring_cq_ready(&ring);
  const unsigned left = completions_seen_ - head;
  for (unsigned entry = left <= tail - head ? completions_seen_ : head; entry != tail; ++entry) {
    call.completes.push_back(completion_of(ring.cq.cqes[entry & *ring.cq.kring_mask]));
  }
  completions_seen_ = tail;
}

RingRequest Decoder::completion_of(const io_uring_cqe& entry) {
  RingRequest completion;
  const auto asked = requested_.find(entry.user_data);
  if (asked != requested_.end()) completion = asked->second;
  const std::string& operation = completion.operation;
  completion.details.clear();
  completion.result = entry.res;
  completion.returned = entry.res < 0 ? errno_name(-entry.res) : fmt::to_string(entry.res);
  if (operation == "accept" && entry.res >= 0) {
    names_.accepted(entry.res);
    completion.returned = names_.of(entry.res);
  } else if (operation == "poll_add" && entry.res >= 0) {
    completion.returned = poll_events(static_cast<std::uint32_t>(entry.res));
  }
  if ((entry.flags & IORING_CQE_F_BUFFER) != 0) {
    completion.details.push_back(
        fmt::format("in buffer {}", entry.flags >> IORING_CQE_BUFFER_SHIFT));
  }
  if ((entry.flags & IORING_CQE_F_MORE) != 0) completion.details.emplace_back("more to come");
  return completion;
}

}  // namespace muxlab::trace
