#include "bench/load_trust.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace muxlab {

std::vector<std::string> why_not_trusted(const LoadOptions& options, const LoadReport& report) {
  constexpr std::uint64_t kUnderWay = 10;  // are no backlog, however few were due
  constexpr std::uint64_t kLeastLag_ns = 50'000;
  const LoadTally& tally = report.tally;
  std::vector<std::string> reasons;
  if (!options.rate) return reasons;
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
  return reasons;
}

}  // namespace muxlab
