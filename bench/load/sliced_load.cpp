#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "backends/parts/failure.hpp"
#include "bench/load/loop.hpp"

namespace muxlab {

void SliceReply::break_off(const std::string& reason) {
  const std::size_t size = std::min(reason.size(), broken.size() - 1);
  std::memcpy(broken.data(), reason.data(), size);
  broken[size] = '\0';
}

namespace {

/// The first messages of an open loop meet a server that slept, and are not timed.
constexpr std::int64_t kUntimed_ns = 10'000'000;

/// One slice after the other, on connections that stay open or make way for new ones.
class SliceLoop {
 public:
  SliceLoop(LoadThread& thread, LoadSetup& setup)
      : thread_(thread),
        connections_(thread.connections()),
        options_(setup.options),
        timeline_(setup.timeline) {}

  SliceReply run(const SliceCommand& command) {
    LoadTally& tally = connections_.tally();
    tally.latency_ns.clear();
    tally.first_echo_ns.clear();
    tally.shares = tally.share_sum = tally.share_square_sum = 0;
    const Counts before = counts();
    const std::int64_t begin_cpu_ns = process_cpu_ns();
    const std::int64_t begin_ns = monotonic_ns();
    timeline_.start();
    timeline_.begin_window(begin_ns +
                           (options_.rate ? std::min(kUntimed_ns, command.duration_ns / 10) : 0));
    thread_.run(&command);
    SliceReply reply;
    reply.elapsed_ns = monotonic_ns() - begin_ns;
    reply.client_cpu_ns = process_cpu_ns() - begin_cpu_ns;
    const Counts after = counts();
    reply.bytes_sent = after.sent - before.sent;
    reply.bytes_received = after.received - before.received;
    reply.echoes = reply.bytes_received / options_.size_bytes;
    reply.opened = after.opened - before.opened;
    reply.unsent = after.unsent - before.unsent;
    reply.delayed = after.delayed - before.delayed;
    reply.shares = tally.shares;
    reply.share_sum = tally.share_sum;
    reply.share_square_sum = tally.share_square_sum;
    if (const std::string reason = why_broken(); !reason.empty()) reply.break_off(reason);
    return reply;
  }

 private:
  struct Counts {
    std::uint64_t sent, received, opened, unsent, delayed;
  };
  [[nodiscard]] Counts counts() const {
    const LoadTally& tally = connections_.tally();
    return {tally.bytes_sent, tally.bytes_received, tally.established, tally.unsent,
            tally.without_port};
  }

  /// What is in flight now has been waited for in vain.
  [[nodiscard]] std::string why_broken() const {
    const LoadTally& tally = connections_.tally();
    if (!tally.first_error.empty()) return tally.first_error;
    std::uint64_t missing = 0;
    for (const LoadConnection& connection : connections_.active()) {
      if (connection.fd) missing += connection.stream.due() - connection.stream.received();
      if (connection.fd && connection.is_ending) return "the server does not end a connection";
    }
    if (missing == 0) return {};
    return fmt::format("no answer for {:g} s: {} bytes are missing",
                       std::chrono::duration<double>(options_.grace).count(), missing);
  }

  LoadThread& thread_;
  LoadConnections& connections_;
  const LoadOptions& options_;
  Timeline& timeline_;
};

std::vector<HistogramCount> counts_of(const Histogram& histogram) {
  std::vector<HistogramCount> all;
  if (histogram.count() == 0) return all;
  for (std::uint32_t i = 0; i < Histogram::kBuckets; ++i) {
    const std::uint64_t count = histogram.counts()[i];
    if (count > 0) all.push_back({i, static_cast<std::uint32_t>(count)});
  }
  return all;
}

/// False when the other side has closed the channel.
bool receive(int channel, SliceCommand& command) {
  ssize_t size = 0;
  do size = ::recv(channel, &command, sizeof command, 0);
  while (size < 0 && errno == EINTR);
  return size == sizeof command;
}

void send_packet(int channel, const void* data, std::size_t size) {
  // The harness may be gone: then the next receive ends this process.
  static_cast<void>(::send(channel, data, size, MSG_NOSIGNAL));
}

void send(int channel, SliceReply reply, const LoadTally& tally) {
  const std::array counts = {counts_of(tally.latency_ns), counts_of(tally.first_echo_ns)};
  reply.latency_counts = static_cast<std::uint32_t>(counts[0].size());
  reply.first_echo_counts = static_cast<std::uint32_t>(counts[1].size());
  send_packet(channel, &reply, sizeof reply);
  for (const std::vector<HistogramCount>& all : counts) {
    for (std::size_t begin = 0; begin < all.size(); begin += kCountsPerPacket) {
      const std::size_t count = std::min(kCountsPerPacket, all.size() - begin);
      send_packet(channel, &all[begin], count * sizeof all[begin]);
    }
  }
}

void check_sliced(const LoadOptions& options) {
  if (options.threads == 1) return;
  throw Failure(ExitCode::usage, "--slices is for one thread: leave out --threads");
}

}  // namespace

void run_sliced_load(const LoadOptions& options, int channel) {
  check_options(options);
  check_sliced(options);
  reserve_descriptors(options);
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns
  LoadSetup setup(options);
  LoadThread thread(setup, 0);
  LoadConnections& connections = thread.connections();
  connections.tally().latency_ns.clear();
  connections.tally().first_echo_ns.clear();
  SliceReply reply;
  if (!connections.tally().first_error.empty()) reply.break_off(connections.tally().first_error);
  send(channel, reply, connections.tally());
  SliceLoop loop(thread, setup);
  for (SliceCommand command{}; receive(channel, command);) {
    if (!reply.is_broken()) reply = loop.run(command);
    send(channel, reply, connections.tally());
  }
  connections.close_all();
}

}  // namespace muxlab
