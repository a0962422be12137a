#include "bench/load_trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace muxlab {
namespace {

using Reasons = std::vector<std::string>;

/// The time in which messages were to be in flight inside the window, of all of them together.
double flight_ns(const LoadOptions& options, const LoadReport& report) {
  return static_cast<double>(options.connections * options.depth) *
         static_cast<double>(report.window.count());
}

void doubt_closed_loop(const LoadOptions& options, const LoadReport& report, Reasons& reasons) {
  constexpr double kTolerance = 0.03;
  const LoadTally& tally = report.tally;
  if (const auto ratio = littles_law_ratio(options, report)) {
    const double expected =
        1 + static_cast<double>(tally.latency_outside_ns) / flight_ns(options, report);
    if (std::abs(*ratio - expected) > kTolerance) {
      reasons.push_back(fmt::format(
          "latency times throughput is {:.1f} % of the {} messages that were to be in flight",
          100 * (*ratio - expected + 1), options.connections * options.depth));
    }
  }
  if (tally.without_port > 0) {
    reasons.push_back(
        fmt::format("{} connections had to wait for a port: there were fewer than --connections {}",
                    tally.without_port, options.connections));
  }
}

void doubt_open_loop(const LoadReport& report, Reasons& reasons) {
  constexpr std::uint64_t kUnderWay = 10;  // are no backlog, however few were due
  constexpr std::uint64_t kLeastLag_ns = 50'000;
  const LoadTally& tally = report.tally;
  if (tally.offered == 0) reasons.emplace_back("no message was due: measure for longer");
  if (tally.echoes + std::max(tally.offered / 100, kUnderWay) < tally.offered) {
    reasons.push_back(fmt::format("{} messages were due and {} came back: less than 99 %",
                                  tally.offered, tally.echoes));
  }
  const std::uint64_t lag_ns = tally.send_lag_ns.value_at_percentile(99);
  const std::uint64_t latency_ns = tally.latency_ns.value_at_percentile(99);
  if (lag_ns > std::max(kLeastLag_ns, latency_ns / 4)) {
    reasons.push_back(fmt::format(
        "the client sent too late: 1 % of its messages by more than {:.0f} us, p99 is {:.0f} us",
        static_cast<double>(lag_ns) / 1e3, static_cast<double>(latency_ns) / 1e3));
  }
}

}  // namespace

std::optional<double> littles_law_ratio(const LoadOptions& options, const LoadReport& report) {
  if (options.rate || options.churn || report.window.count() <= 0) return std::nullopt;
  const Histogram& latency = report.tally.latency_ns;
  return static_cast<double>(latency.count()) * latency.mean() / flight_ns(options, report);
}

std::vector<std::string> why_not_trusted(const LoadOptions& options, const LoadReport& report) {
  Reasons reasons;
  options.rate ? doubt_open_loop(report, reasons) : doubt_closed_loop(options, report, reasons);
  return reasons;
}

}  // namespace muxlab
