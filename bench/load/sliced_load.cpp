#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "backends/parts/failure.hpp"
#include "bench/load/dial.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/oracle.hpp"
#include "bench/load/slice.hpp"

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
  SliceLoop(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
            const LoadOptions& options)
      : connections_(connections), target_(target), sources_(sources), options_(options) {}

  SliceReply run(const SliceCommand& command) {
    LoadTally& tally = connections_.tally();
    tally.latency_ns.clear();
    tally.first_echo_ns.clear();
    tally.shares = tally.share_sum = tally.share_square_sum = 0;
    const Counts before = counts();
    const std::int64_t begin_cpu_ns = process_cpu_ns();
    const std::int64_t begin_ns = monotonic_ns();
    keep_going(command, begin_ns);
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

  void keep_going(const SliceCommand& command, std::int64_t begin_ns) {
    timeline_.start();
    if (options_.rate) {
      timeline_.begin_window(begin_ns + std::min(kUntimed_ns, command.duration_ns / 10));
      run_open_slice(connections_, timeline_,
                     {.size_bytes = options_.size_bytes,
                      .depth = options_.depth,
                      .per_s = static_cast<double>(*options_.rate),
                      .gaps = options_.gaps,
                      .seed = options_.seed + slices_++,
                      .share = 0,
                      .shares = 1,
                      .grace = options_.grace},
                     command.duration_ns);
      return;
    }
    timeline_.begin_window(begin_ns);
    run_closed_slice(connections_, timeline_, target_, sources_,
                     {.size_bytes = options_.size_bytes,
                      .depth = options_.depth,
                      .echoes = options_.churn.value_or(kNoLimit),
                      .grace = options_.grace,
                      .goes_on = true},
                     command.duration_ns, command.round_trips);
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

  LoadConnections& connections_;
  const LoadTarget& target_;
  SourceAddresses& sources_;
  const LoadOptions& options_;
  Timeline timeline_;
  std::uint64_t slices_ = 0;
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
  const LoadTarget target = find_target(options.connect);
  const Pattern pattern{LoadConnections::kLongestRun};
  const std::uint64_t count = options.connections + options.idle;
  const auto made = make_connections(
      available_engine(options.oracle ? LoadEngine::epoll : options.engine), pattern,
      {.count = count, .active = options.connections, .first = 0, .stride = 1},
      options.size_bytes * std::min(options.depth, kManyInFlight));
  LoadConnections& connections = *made;
  SourceAddresses sources(target.is_ipv4_loopback(), kMaxFromOneAddress);
  const Timeline never_ends;
  establish(connections, target, sources, never_ends,
            {.under_way = kMaxUnderWay,
             .active_bytes = options.size_bytes,
             .patience = options.connect_patience});
  std::optional<OracleTeller> teller;
  if (options.oracle) {
    teller.emplace(*options.oracle).begin(connections.active());
    connections.tell(*teller);
  }
  connections.tally().latency_ns.clear();
  connections.tally().first_echo_ns.clear();
  SliceReply reply;
  if (!connections.tally().first_error.empty()) reply.break_off(connections.tally().first_error);
  send(channel, reply, connections.tally());
  SliceLoop loop(connections, target, sources, options);
  for (SliceCommand command{}; receive(channel, command);) {
    if (!reply.is_broken()) reply = loop.run(command);
    send(channel, reply, connections.tally());
  }
  connections.close_all();
}

}  // namespace muxlab
