#include "bench/report_words.hpp"

#include <fmt/format.h>

namespace muxlab {

std::string spread_words(const std::optional<Spread>& spread, double unit, int decimals) {
  if (!spread) return "-";
  const auto shown = [&](double value) {
    return decimals == 0 ? in_groups(value / unit) : fmt::format("{:.{}f}", value / unit, decimals);
  };
  return fmt::format("{} ({} to {})", shown(spread->median), shown(spread->min),
                     shown(spread->max));
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string in_groups(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

}  // namespace muxlab
