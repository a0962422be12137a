#include "bench/conditions.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// "cpu0 user nice system idle iowait irq softirq steal ...", one line per processor.
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

/// A line of names, and below it one of their values.
std::optional<std::uint64_t> read_listen_drops(const Path& file) {
  std::ifstream stream(file);
  std::string names, values;
  while (std::getline(stream, names) && std::getline(stream, values)) {
    if (!names.starts_with("TcpExt:")) continue;
    std::istringstream name_words(names), value_words(values);
    std::optional<std::uint64_t> drops;
    std::string name, value;
    while (name_words >> name && value_words >> value) {
      // A connection that finds the queue full is counted in both; other drops in the second only.
      if (name == "ListenDrops") drops = std::strtoull(value.c_str(), nullptr, 10);
    }
    return drops;
  }
  return std::nullopt;
}

/// Of version 2 "0::/PATH", below /sys/fs/cgroup.
std::optional<std::uint64_t> read_throttled(const Path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    std::ifstream stat(root / "sys/fs/cgroup" / line.substr(4) / "cpu.stat");
    std::string name;
    for (std::uint64_t value = 0; stat >> name >> value;) {
      if (name == "nr_throttled") return value;
    }
  }
  return std::nullopt;
}

std::optional<double> read_slab_bytes(const Path& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string name;
    double kilobytes = 0;
    if (words >> name >> kilobytes && name == "Slab:") return kilobytes * 1024;
  }
  return std::nullopt;
}

template <typename Value>
double difference(const std::optional<Value>& begin, const std::optional<Value>& end) {
  if (!begin || !end) return std::nan("");
  return static_cast<double>(*end) - static_cast<double>(*begin);
}

}  // namespace

Conditions read_conditions(std::span<const int> processors, const Path& root) {
  Conditions conditions;
  read_processors(processors, root / "proc/stat", conditions);
  conditions.listen_drops = read_listen_drops(root / "proc/net/netstat");
  conditions.throttled_periods = read_throttled(root);
  conditions.slab_bytes = read_slab_bytes(root / "proc/meminfo");
  return conditions;
}

void add_shares_of_others(Metrics& metrics, const Conditions& begin, const Conditions& end,
                          double elapsed_s, double own_cpu_s, std::size_t processors) {
  // The kernel looks who runs 100 to 1,000 times a second; 100 is what all kernels do at least.
  constexpr double kLooks_per_s = 100;
  const double all_s = elapsed_s * static_cast<double>(processors);
  if (!(all_s > 0)) return;
  metrics[Metric::steal_share] = difference(begin.stolen_s, end.stolen_s) / all_s;
  const double busy = difference(begin.busy_s, end.busy_s) / all_s;
  metrics[Metric::foreign_cpu_share] = std::max(busy - own_cpu_s / all_s, 0.0);
  const double share = std::clamp(busy, 0.0, 1.0);
  metrics[Metric::foreign_cpu_error] = 2 * std::sqrt(share * (1 - share) / (all_s * kLooks_per_s));
}

void add_counted(Metrics& metrics, const Conditions& begin, const Conditions& end) {
  metrics[Metric::listen_drops] = difference(begin.listen_drops, end.listen_drops);
  metrics[Metric::throttled_periods] = difference(begin.throttled_periods, end.throttled_periods);
}

}  // namespace muxlab
