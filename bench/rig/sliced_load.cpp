#include "bench/rig/sliced_load.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "backends/failure.hpp"
#include "bench/load_check.hpp"
#include "bench/load_establish.hpp"
#include "bench/load_oracle.hpp"
#include "bench/rig/slice.hpp"

namespace muxlab {

void SliceReply::break_off(const std::string& reason) {
  const std::size_t size = std::min(reason.size(), broken.size() - 1);
  std::memcpy(broken.data(), reason.data(), size);
  broken[size] = '\0';
}

namespace {

/// The closed loop of one slice after the other, on connections that stay open.
class SliceLoop {
 public:
  SliceLoop(LoadConnections& connections, const LoadOptions& options)
      : connections_(connections), options_(options) {}

  SliceReply run(const SliceCommand& command) {
    LoadTally& tally = connections_.tally();
    const std::uint64_t sent_before = tally.bytes_sent;
    const std::uint64_t received_before = tally.bytes_received;
    const std::int64_t begin_cpu_ns = process_cpu_ns();
    const std::int64_t begin_ns = monotonic_ns();
    SliceReply reply;
    send_first_messages();
    await_echoes(begin_ns + command.duration_ns,
                 command.round_trips * options_.depth * connections_.active().size(), reply);
    reply.echoes = echoes_;
    reply.elapsed_ns = monotonic_ns() - begin_ns;
    reply.client_cpu_ns = process_cpu_ns() - begin_cpu_ns;
    reply.bytes_sent = tally.bytes_sent - sent_before;
    reply.bytes_received = tally.bytes_received - received_before;
    return reply;
  }

 private:
  void send_first_messages() {
    echoes_ = 0;
    in_flight_ = 0;
    for (LoadConnection& connection : connections_.active()) {
      if (!connection.fd) continue;  // counted in the tally, which await_echoes() looks at
      connection.stream.extend(options_.depth * options_.size_bytes);
      in_flight_ += options_.depth;
      connections_.flush(connection);
    }
  }

  /// Sends on each echo until `stop_ns` and `least_echoes` are reached, then lets the rest return.
  void await_echoes(std::int64_t stop_ns, std::uint64_t least_echoes, SliceReply& reply) {
    std::int64_t give_up_ns = monotonic_ns() + options_.grace.count();
    while (in_flight_ > 0) {
      if (!connections_.tally().first_error.empty()) {
        return reply.break_off(connections_.tally().first_error);
      }
      const std::int64_t now_ns = monotonic_ns();
      if (now_ns >= give_up_ns) {
        return reply.break_off(fmt::format("no answer for {:g} s: {} messages are missing",
                                           std::chrono::duration<double>(options_.grace).count(),
                                           in_flight_));
      }
      const std::uint64_t before = connections_.tally().bytes_received;
      const auto events = connections_.wait(give_up_ns - now_ns);
      const std::int64_t woken_ns = monotonic_ns();
      is_over_ = woken_ns >= stop_ns && echoes_ >= least_echoes;
      for (const LoadEvent& event : events) on_event(event);
      if (connections_.tally().bytes_received != before) {
        give_up_ns = woken_ns + options_.grace.count();
      }
    }
    if (!connections_.tally().first_error.empty()) {
      reply.break_off(connections_.tally().first_error);
    }
  }

  void on_event(const LoadEvent& event) {
    LoadConnection& connection = connections_.at(event.id);
    if (!connection.fd) return;
    if (connections_.advance(connection, event) != Came::bytes || !connection.fd) return;
    while (connection.stream.complete(options_.size_bytes)) {
      ++echoes_;
      if (is_over_) {
        --in_flight_;
      } else {
        connection.stream.extend(options_.size_bytes);
      }
    }
    connections_.flush(connection);
  }

  LoadConnections& connections_;
  const LoadOptions& options_;
  std::uint64_t echoes_ = 0;     // of this slice
  std::uint64_t in_flight_ = 0;  // messages that are due to come back
  bool is_over_ = false;         // no message is to follow an echo any more
};

/// False when the other side has closed the channel.
bool receive(int channel, SliceCommand& command) {
  ssize_t size = 0;
  do size = ::recv(channel, &command, sizeof command, 0);
  while (size < 0 && errno == EINTR);
  return size == sizeof command;
}

void send(int channel, const SliceReply& reply) {
  // The harness may be gone: then the next receive ends this process.
  static_cast<void>(::send(channel, &reply, sizeof reply, MSG_NOSIGNAL));
}

void check_sliced(const LoadOptions& options) {
  if (options.rate || options.churn || options.threads != 1) {
    throw Failure(ExitCode::usage,
                  "--slices is for a closed loop of one thread: leave out --rate, --churn and "
                  "--threads");
  }
}

}  // namespace

void run_sliced_load(const LoadOptions& options, int channel) {
  check_options(options);
  check_sliced(options);
  reserve_descriptors(options);
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns
  const LoadTarget target = resolve_target(options.connect);
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
  SliceReply reply;
  if (!connections.tally().first_error.empty()) reply.break_off(connections.tally().first_error);
  send(channel, reply);
  SliceLoop loop(connections, options);
  for (SliceCommand command{}; receive(channel, command);) {
    if (!reply.is_broken()) reply = loop.run(command);
    send(channel, reply);
  }
  connections.close_all();
}

}  // namespace muxlab
