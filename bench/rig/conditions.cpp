#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "backends/parts/control_group.hpp"
#include "bench/rig/rig.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// Reads proc_stat(5): "cpu0 user nice system idle iowait irq softirq steal ..." per processor.
void read_processors(std::span<const int> processors, const Path& file, Conditions& conditions) {
  const double ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    words >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    if (!words || name == "cpu" || !name.starts_with("cpu")) continue;
    const auto is_this = [&](int processor) { return name == fmt::format("cpu{}", processor); };
    if (!processors.empty() && std::ranges::none_of(processors, is_this)) continue;
    conditions.busy_s =
        conditions.busy_s.value_or(0) + (user + nice + system + irq + softirq) / ticks_per_s;
    conditions.stolen_s = conditions.stolen_s.value_or(0) + steal / ticks_per_s;
  }
}

}  // namespace

Conditions read_conditions(std::span<const int> processors, const Path& root) {
  Conditions conditions;
  read_processors(processors, root / "proc/stat", conditions);
  if (const auto throttling = control_group_throttling(root)) {
    conditions.throttled_s = static_cast<double>(throttling->us) / 1e6;
    conditions.throttled_periods = throttling->periods;
  }
  return conditions;
}

std::string throttling_words(const Conditions& before, const Conditions& after) {
  const std::uint64_t periods_before = before.throttled_periods.value_or(0);
  const std::uint64_t periods_after = after.throttled_periods.value_or(0);
  if (periods_after <= periods_before) return "";
  return fmt::format(
      "the control group's quota of processor time stopped the measurement in {} periods, for "
      "{:.1f} s in all: raise cpu.max",
      periods_after - periods_before,
      std::max(0.0, after.throttled_s.value_or(0) - before.throttled_s.value_or(0)));
}

}  // namespace muxlab
