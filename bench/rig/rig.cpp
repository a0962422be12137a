#include "bench/rig/rig.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <system_error>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "backends/parts/shortage.hpp"
#include "bench/load/load.hpp"

namespace muxlab {
namespace {

/// Returns the number of load processes, which have one thread each. Two per server thread keep the
/// server busy. The oracle must have a single client.
std::size_t load_processes(const Cell& cell, const Processors& processors) {
  if (is_oracle(*find_backend(cell.backend))) return 1;
  const std::size_t wanted = std::min<std::size_t>(processors.client.size(), 2 * cell.threads);
  // A process with a rate of 0 would be a closed loop.
  const std::uint64_t most =
      cell.rate_per_s > 0 ? std::min(cell.connections, cell.rate_per_s) : cell.connections;
  return std::clamp<std::size_t>(wanted, 1, most);
}

/// Returns the limit of system calls per echo, about twice the theoretical number. More calls are a
/// bug of the measurement or the backend. Returns nullopt if there is no theoretical number.
std::optional<double> most_calls_per_echo(const Cell& cell) {
  const std::optional<CallsPerEcho> calls = find_backend(cell.backend)->calls;
  if (!calls || cell.threading != "single" || cell.churn > 0) return std::nullopt;
  constexpr double kLeastPerReceive = 4096;  // bufferevent's bytes per receive
  const double receives = 1 + std::ceil(static_cast<double>(cell.size_bytes) / kLeastPerReceive);
  return 2 * receives * (calls->events + calls->read + calls->write + calls->ctl + calls->other) +
         2;
}

/// Returns the reason why a slice does not count; empty: it counts.
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

/// Adds the differences from `begin` to `end`.
void add(CounterSums& sum, const CounterSums& begin, const CounterSums& end) {
  using C = CounterSums;
  for (const auto one : {&C::echoes, &C::bytes_in, &C::bytes_out, &C::events, &C::clock_ns}) {
    sum.*one += end.*one - begin.*one;
  }
  for (const auto by_kind : {&C::calls, &C::call_ns}) {
    for (std::size_t i = 0; i < kCallNames.size(); ++i) {
      (sum.*by_kind)[i] += (end.*by_kind)[i] - (begin.*by_kind)[i];
    }
  }
}

void add(SliceReply& sum, const SliceReply& part) {
  using R = SliceReply;
  add_members(sum, part, &R::echoes, &R::bytes_sent, &R::bytes_received, &R::client_cpu_ns,
              &R::opened, &R::unsent, &R::delayed, &R::shares, &R::share_sum, &R::share_square_sum);
  sum.elapsed_ns = std::max(sum.elapsed_ns, part.elapsed_ns);
}

/// Returns Jain's index: 1 if all had equally many echoes, 1/n if one of n had all; 0: unknown.
double fairness_of(const SliceReply& reply) {
  if (reply.shares == 0 || reply.share_square_sum == 0) return 0;
  return reply.share_sum * reply.share_sum / (reply.shares * reply.share_square_sum);
}

}  // namespace

Rig::Rig(Sides& sides, const PlannedLoad& load, std::vector<Contender> contenders,
         const RigOptions& options)
    : sides_(sides), load_(load.cell), processors_(load.processors), options_(options) {
  for (Contender& contender : contenders) {
    members_.emplace_back().contender = std::move(contender);
  }
  if (!options.is_isolated) build(members_);
  begin_ = std::chrono::steady_clock::now();
}

/// Performs each step for all members before the next step.
void Rig::build(std::span<Member> members) {
  each_alive(members, [&](Member& member) {
    member.server = sides_.start_server(
        {cell_of(load_, member.contender), processors_.server, options_.time_calls});
  });
  each_alive(members, [&](Member& member) { start_loads(member); });
  each_alive(members, [&](Member& member) {
    for (const auto& side : member.loads) side->reply(scratch_);
    member.server->settle();
    member.memory.with_connections = member.server->memory();
    if (members.size() > 1) member.memory.with_connections.kernel_bytes = 0;
  });
}

Rig::~Rig() {
  for (const Member& member : members_) {
    for (const auto& side : member.loads) side->abandon();
    if (member.server) member.server->abandon();
  }
}

/// Calls `step` for each member without a failure. A failure ends only that member.
template <typename Step>
void Rig::each_alive(std::span<Member> members, Step step) {
  for (Member& member : members) {
    if (!member.failure.empty()) continue;
    try {
      step(member);
    } catch (const SideFailed& failed) {
      end(member, failed.what());
    } catch (const std::system_error& error) {  // the limit of processes or descriptors is reached
      end(member, explain(error));
    }
  }
}

/// Appends how the server ended, because that explains more than the load's error.
void Rig::end(Member& member, const std::string& why) {
  const std::string ended = member.server ? member.server->how_it_ended() : "";
  member.failure = ended.empty() || why.find(ended) != std::string::npos ? why : why + "; " + ended;
  member.loads.clear();
  member.server.reset();
}

void Rig::start_loads(Member& member) const {
  Cell cell = cell_of(load_, member.contender);
  const std::string address = member.server->address();
  member.memory.before = member.server->memory();
  const std::size_t count = load_processes(cell, processors_);
  for (std::size_t i = 0; i < count; ++i) {
    cell.connections = share_of(load_.connections, i, count);
    cell.idle = share_of(load_.idle, i, count);
    cell.rate_per_s = share_of(load_.rate_per_s, i, count);
    member.loads.push_back(sides_.start_load({cell, processors_.client, address}, *member.server));
  }
}

Slice Rig::visit(Member& member, const SliceCommand& command, std::int64_t count) {
  const Cell cell = cell_of(load_, member.contender);
  scratch_.clear();
  Slice slice;
  slice.at_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  SliceReply reply;
  CounterSums served;
  for (std::int64_t i = 0; i < count; ++i) {
    reply.elapsed_ns = 0;
    reply.shares = reply.share_sum = reply.share_square_sum = 0;  // the last slice has the totals
    const Silence begin = member.server->begin_slice();
    for (const auto& side : member.loads) side->command(command);
    for (const auto& side : member.loads) add(reply, side->reply(scratch_));
    const Silence end = member.server->end_slice();
    add(served, begin.counters, end.counters);
    slice.cpu_ns += end.cpu_ns - begin.cpu_ns;
    slice.elapsed_ns += reply.elapsed_ns;
  }
  slice.echoes = reply.echoes;
  slice.bytes = served.bytes_out;
  slice.calls = served.calls;
  slice.call_ns = served.call_ns;
  slice.clock_ns = served.clock_ns;
  slice.events = served.events;
  slice.client_cpu_ns = reply.client_cpu_ns;
  slice.opened = reply.opened;
  slice.unsent = reply.unsent;
  slice.delayed = reply.delayed;
  slice.fairness = fairness_of(reply);
  slice.latency_ns_p50 = scratch_.latency_ns.value_at_percentile(50);
  slice.latency_ns_p99 = scratch_.latency_ns.value_at_percentile(99);
  slice.first_echo_ns_p50 = scratch_.first_echo_ns.value_at_percentile(50);
  slice.first_echo_ns_p99 = scratch_.first_echo_ns.value_at_percentile(99);
  slice.broken = why_broken(slice, reply, served, cell);
  return slice;
}

void Rig::forget_times() {
  for (Member& member : members_) member.times.clear();
}

void Rig::run_block(std::uint64_t block, const SliceCommand& command, std::mt19937& random,
                    std::vector<Slice>& slices) {
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  const std::int64_t count = slices_of_visit(options_.is_isolated, command.duration_ns);
  for (const std::size_t index : order) {
    Member& member = members_[index];
    if (!member.failure.empty()) continue;
    Slice slice;
    try {
      if (options_.is_isolated) {
        build({&member, 1});
        if (member.failure.empty()) visit(member, command, std::max<std::int64_t>(count / 4, 1));
      }
      if (member.failure.empty()) {
        slice = visit(member, command, count);
        member.times.merge(scratch_);
      }
      if (options_.is_isolated) {
        member.loads.clear();
        member.server.reset();
      }
      slice.broken += member.failure;
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
