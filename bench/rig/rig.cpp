#include "bench/rig/rig.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <system_error>

#include "backends/backend.hpp"
#include "bench/load.hpp"

namespace muxlab {
namespace {

/// A load process has one thread. Two for each of the server's keep it busy; the oracle's client
/// has to be one.
std::size_t load_processes(const Cell& cell, const Processors& processors) {
  if (find_backend(cell.backend)->is_told) return 1;
  const std::size_t wanted = std::min<std::size_t>(processors.client.size(), 2 * cell.threads);
  return std::clamp<std::size_t>(wanted, 1, cell.connections);
}

/// More calls than twice what theory says are a fault of the measurement or of the backend. Nothing
/// where theory says nothing.
std::optional<double> most_calls_per_echo(const Cell& cell) {
  const std::optional<CallsPerEcho> calls = find_backend(cell.backend)->calls;
  if (!calls || cell.threading != "single") return std::nullopt;
  constexpr double kLeastPerReceive = 4096;  // what bufferevent reads at a time
  const double receives = 1 + std::ceil(static_cast<double>(cell.size_bytes) / kLeastPerReceive);
  return 2 * receives * (calls->events + calls->read + calls->write + calls->ctl + calls->other) +
         2;
}

/// Why a slice does not count; empty: it does.
std::string why_broken(const Slice& slice, const SliceReply& reply, const CounterSums& served,
                       const Cell& cell) {
  if (reply.bytes_sent != reply.bytes_received || served.bytes_in != reply.bytes_sent ||
      served.bytes_out != reply.bytes_received) {
    return fmt::format(
        "client and server disagree: {} bytes sent and {} received by the client, {} received and "
        "{} sent by the server",
        reply.bytes_sent, reply.bytes_received, served.bytes_in, served.bytes_out);
  }
  if (slice.echoes == 0 || reply.bytes_received != slice.echoes * cell.size_bytes) {
    return fmt::format("{} echoes of {} bytes are not the {} bytes that came back", slice.echoes,
                       cell.size_bytes, reply.bytes_received);
  }
  if (slice.cpu_ns == 0) return "the server's CPU clock did not move";
  std::uint64_t calls = 0;
  for (const std::uint64_t kind : slice.calls) calls += kind;
  const double per_echo = static_cast<double>(calls) / static_cast<double>(slice.echoes);
  if (const auto most = most_calls_per_echo(cell); most && per_echo > *most) {
    return fmt::format("{:.0f} system calls per echo, where at most {:.0f} can be", per_echo,
                       *most);
  }
  return {};
}

CounterSums difference(const CounterSums& begin, const CounterSums& end) {
  CounterSums moved{.echoes = end.echoes - begin.echoes,
                    .bytes_in = end.bytes_in - begin.bytes_in,
                    .bytes_out = end.bytes_out - begin.bytes_out,
                    .events = end.events - begin.events};
  for (std::size_t i = 0; i < moved.calls.size(); ++i)
    moved.calls[i] = end.calls[i] - begin.calls[i];
  return moved;
}

void add(SliceReply& sum, const SliceReply& part) {
  sum.echoes += part.echoes;
  sum.bytes_sent += part.bytes_sent;
  sum.bytes_received += part.bytes_received;
  sum.elapsed_ns = std::max(sum.elapsed_ns, part.elapsed_ns);
  sum.client_cpu_ns += part.client_cpu_ns;
}

}  // namespace

Rig::Rig(Sides& sides, const PlannedLoad& load, std::vector<Contender> contenders)
    : load_(load.cell) {
  const Processors& processors = load.processors;
  for (Contender& contender : contenders) {
    Member& member = members_.emplace_back();
    member.contender = std::move(contender);
  }
  each_alive([&](Member& member) {
    Cell cell = load_;
    cell.backend = member.contender.backend;
    member.server = sides.start_server({cell, processors.server});
  });
  each_alive([&](Member& member) { start_loads(sides, member, processors); });
  each_alive([](Member& member) {
    for (const auto& side : member.loads) side->reply();
    member.server->settle();
  });
  begin_ = std::chrono::steady_clock::now();
}

Rig::~Rig() {
  for (const Member& member : members_) {
    for (const auto& side : member.loads) side->abandon();
    if (member.server) member.server->abandon();
  }
}

/// What fails for one contender is no concern of the others.
template <typename Step>
void Rig::each_alive(Step step) {
  for (Member& member : members_) {
    if (!member.failure.empty()) continue;
    try {
      step(member);
    } catch (const SideFailed& failed) {
      end(member, failed.what());
    } catch (const std::system_error& error) {  // no process or no descriptor is left for it
      end(member, error.what());
    }
  }
}

/// A server that ended says more than a load that lost it.
void Rig::end(Member& member, const std::string& why) {
  const std::string ended = member.server ? member.server->how_it_ended() : "";
  member.failure = ended.empty() || why.find(ended) != std::string::npos ? why : why + "; " + ended;
  member.loads.clear();
  member.server.reset();
}

void Rig::start_loads(Sides& sides, Member& member, const Processors& processors) const {
  Cell cell = load_;
  cell.backend = member.contender.backend;
  const std::string address = member.server->address();
  const std::size_t count = load_processes(cell, processors);
  for (std::size_t i = 0; i < count; ++i) {
    cell.connections = share_of(load_.connections, i, count);
    cell.idle = share_of(load_.idle, i, count);
    member.loads.push_back(sides.start_load({cell, processors.client, address}, *member.server));
  }
}

Slice Rig::visit(Member& member, const SliceCommand& command) const {
  Cell cell = load_;
  cell.backend = member.contender.backend;
  Slice slice;
  slice.at_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const Silence begin = member.server->begin_slice();
  for (const auto& side : member.loads) side->command(command);
  SliceReply reply;
  for (const auto& side : member.loads) add(reply, side->reply());
  const Silence end = member.server->end_slice();
  const CounterSums served = difference(begin.counters, end.counters);
  slice.echoes = reply.echoes;
  slice.bytes = served.bytes_out;
  slice.cpu_ns = end.cpu_ns - begin.cpu_ns;
  slice.calls = served.calls;
  slice.events = served.events;
  slice.elapsed_ns = reply.elapsed_ns;
  slice.client_cpu_ns = reply.client_cpu_ns;
  slice.broken = why_broken(slice, reply, served, cell);
  return slice;
}

void Rig::run_block(std::uint64_t block, const SliceCommand& command, std::mt19937& random,
                    std::vector<Slice>& slices) {
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  for (const std::size_t index : order) {
    Member& member = members_[index];
    if (!member.failure.empty()) continue;
    Slice slice;
    try {
      slice = visit(member, command);
    } catch (const SideFailed& failed) {
      end(member, failed.what());
      slice.broken = member.failure;
    }
    slice.block = block;
    slice.contender = index;
    slices.push_back(std::move(slice));
  }
}

}  // namespace muxlab
