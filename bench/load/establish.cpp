#include "bench/load/establish.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

constexpr std::int64_t kRetry_ns = 1'000'000;

class Establishing {
 public:
  Establishing(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const EstablishLimits& limits)
      : connections_(connections), target_(target), sources_(sources), limits_(limits) {}

  void run() {
    std::int64_t stalled_at_ns = monotonic_ns() + limits_.patience.count();
    while (under_way_ > 0 || next_ < connections_.size()) {
      const std::uint64_t before = finished_;
      const bool is_backlog_full = !dial_more();
      if (under_way_ == 0 && !is_backlog_full) return;  // the last ones failed at once
      const std::int64_t left_ns = std::max<std::int64_t>(stalled_at_ns - monotonic_ns(), 0);
      const std::int64_t timeout_ns = is_backlog_full ? std::min(left_ns, kRetry_ns) : left_ns;
      for (const LoadEvent& event : connections_.wait(timeout_ns)) {
        on_event(event);
      }
      if (has_ended_) return;
      if (finished_ != before) {
        stalled_at_ns = monotonic_ns() + limits_.patience.count();
      } else if (monotonic_ns() >= stalled_at_ns) {
        fail_stalled();
      }
    }
  }

 private:
  /// False when a Unix server's backlog is full, which no event will tell the end of.
  bool dial_more() {
    for (; under_way_ < limits_.under_way && next_ < connections_.size(); ++next_) {
      Dialled dialled = dial(target_, sources_);
      if (dialled.error == EAGAIN) return false;
      if (dialled.error == EADDRNOTAVAIL) fail_without_port();
      if (dialled.error != 0) {
        connections_.fail_to_open(next_, std::generic_category().message(dialled.error));
        ++finished_;
        continue;
      }
      const bool is_active = next_ < connections_.active().size();
      connections_.open(next_, std::move(dialled.fd), is_active ? limits_.active_bytes : 1);
      ++under_way_;
    }
    return true;
  }

  void on_event(const LoadEvent& event) {
    if (event.id == Timeline::kEnded) {
      has_ended_ = true;
      return;
    }
    LoadConnection& connection = connections_.at(event.id);
    if (!connection.fd) return;
    static_cast<void>(connections_.advance(connection, event));
    if (connection.is_established || (connection.fd && !connection.stream.is_quiet())) return;
    --under_way_;
    ++finished_;
    if (!connection.fd) return;
    connection.is_established = connection.stream.complete(connection.stream.received());
    ++connections_.tally().established;
  }

  [[noreturn]] void fail_stalled() const {
    throw Failure(ExitCode::unavailable,
                  fmt::format("{} accepts no more connections or does not echo: nothing happened "
                              "for {:g} s when a thread had {} of its {} connections",
                              target_.text, std::chrono::duration<double>(limits_.patience).count(),
                              connections_.tally().established, connections_.size()));
  }

  [[noreturn]] void fail_without_port() const {
    throw Failure(ExitCode::unavailable,
                  fmt::format("no port is left for connection {} to {}: widen "
                              "net.ipv4.ip_local_port_range or ask for fewer --connections",
                              next_ + 1, target_.text));
  }

  LoadConnections& connections_;
  const LoadTarget& target_;
  SourceAddresses& sources_;
  const EstablishLimits& limits_;
  std::size_t next_ = 0;         // the connection to open next
  std::uint64_t under_way_ = 0;  // opened, and neither established nor failed
  std::uint64_t finished_ = 0;   // established or failed
  bool has_ended_ = false;       // the timeline, before all are there
};

}  // namespace

void establish(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const Timeline& timeline, const EstablishLimits& limits) {
  connections.watch(timeline.ended(), Timeline::kEnded);
  Establishing(connections, target, sources, limits).run();
  connections.unwatch(timeline.ended(), Timeline::kEnded);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    LoadConnection& connection = connections.at(i);
    if (connection.fd && !connection.is_established) connections.close(connection);
  }
}

}  // namespace muxlab
