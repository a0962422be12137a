#include "bench/gates.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace muxlab {
namespace {

constexpr std::string_view kSlow = "system calls took ";
constexpr std::string_view kSeparator = "; ";

}  // namespace

Gates gates_for(const Cell& cell, const Processors& processors) {
  Gates gates;
  // Others than these have a thread more, or one per connection.
  const bool has_a_thread_each =
      (cell.threading == "single" || cell.threading == "reuseport" || cell.threading == "shared") &&
      cell.backend != "threads";
  if (!has_a_thread_each || cell.threads > processors.server.size()) {
    gates.server_runqueue_wait_share = std::numeric_limits<double>::infinity();
  }
  return gates;
}

std::string why_disturbed(const Metrics& metrics, double fastest_canary_ns, const Gates& gates) {
  std::string reasons;
  const auto add = [&reasons](const std::string& reason) {
    reasons += (reasons.empty() ? "" : std::string(kSeparator)) + reason;
  };
  const auto share = [&](Metric metric, double most, std::string_view what) {
    if (metrics[metric] > most) add(fmt::format(fmt::runtime(what), 100 * metrics[metric]));
  };
  share(Metric::server_runqueue_wait_share, gates.server_runqueue_wait_share,
        "the server waited {:.0f} % of the time for its processor");
  share(Metric::client_runqueue_wait_share, gates.client_runqueue_wait_share,
        "the client waited {:.0f} % of the time for its processor");
  share(Metric::steal_share, gates.steal_share, "the host took {:.0f} % of the processors");
  share(Metric::foreign_cpu_share, gates.foreign_cpu_share + metrics[Metric::foreign_cpu_error],
        "other programs took {:.0f} % of the processors");
  if (metrics[Metric::canary_ns] > gates.canary_ratio * fastest_canary_ns) {
    add(fmt::format("{}{:.2f} times as long as at best", kSlow,
                    metrics[Metric::canary_ns] / fastest_canary_ns));
  }
  if (metrics[Metric::listen_drops] > 0) {
    add(fmt::format("an accept queue overflowed {:.0f} times", metrics[Metric::listen_drops]));
  }
  if (metrics[Metric::throttled_periods] > 0) {
    add(fmt::format("the control group's limit stopped it in {:.0f} periods",
                    metrics[Metric::throttled_periods]));
  }
  return reasons;
}

bool is_only_slow(std::string_view reason) {
  return reason.starts_with(kSlow) && reason.find(kSeparator) == std::string_view::npos;
}

std::string why_not_to_measure(std::string_view type, std::string_view flags) {
  if (flags.find("-fsanitize") != std::string_view::npos)
    return "the program has a sanitizer in it";
  if (flags.find("--coverage") != std::string_view::npos) return "the program counts its own lines";
  const bool is_optimised = type == "Release" || type == "RelWithDebInfo" || type == "MinSizeRel" ||
                            flags.find("-O2") != std::string_view::npos ||
                            flags.find("-O3") != std::string_view::npos;
  return is_optimised ? "" : "the program is not optimised";
}

Limiter limiter_of(const Cell& cell, const Metrics& metrics) {
  constexpr double kServerBusy = 0.95;
  constexpr double kClientBusy = 0.90;
  // Where one is busy and the other nearly so, either may be what holds the rate.
  constexpr double kServerNearlyBusy = 0.90;
  constexpr double kClientNearlyBusy = 0.85;
  const double server = metrics[Metric::server_cpu_util];
  const double client = metrics[Metric::client_cpu_util];
  if (std::isnan(server) || std::isnan(client)) return Limiter::unknown;
  if (server < kServerBusy && client < kClientBusy) {
    return cell.rate_per_s > 0 ? Limiter::offered_rate : Limiter::latency;
  }
  if (server >= kServerNearlyBusy && client >= kClientNearlyBusy) return Limiter::both;
  return server >= kServerBusy ? Limiter::server : Limiter::client;
}

std::string_view limiter_name(Limiter limiter) {
  constexpr std::array<std::string_view, 6> kNames = {
      "", "server-bound", "client-bound", "co-saturated", "latency-bound", "rate-bound"};
  return kNames[static_cast<std::size_t>(limiter)];
}

}  // namespace muxlab
