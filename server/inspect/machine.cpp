#include "server/inspect/machine.hpp"

#include <event2/event.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/select.h>
#include <sys/utsname.h>
#include <uv.h>

#include <algorithm>
#include <asio/version.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "backends/parts/control_group.hpp"
#include "backends/parts/machine_text.hpp"
#include "server/cli/build_stamp.hpp"

namespace muxlab {
namespace {

using machine::Json, machine::Path;
using machine::number_in, machine::number_of, machine::numbers_in, machine::read_text;
using machine::text_in, machine::text_of, machine::value_in, machine::words_in;

/// Returns the number of processors in a list such as "0-3,8".
Json count_processors(const Path& file) {
  const auto list = read_text(file);
  if (!list) return {};
  std::uint64_t count = 0;
  std::istringstream ranges(*list);
  for (std::string range; std::getline(ranges, range, ',');) {
    const std::size_t dash = range.find('-');
    const Json first = number_of(range.substr(0, dash));
    const Json last = dash == std::string::npos ? first : number_of(range.substr(dash + 1));
    if (first.is_null() || last.is_null()) return {};
    count += last.get<std::uint64_t>() - first.get<std::uint64_t>() + 1;
  }
  return count;
}

/// The processor's hypervisor flag marks a guest. DMI names the hypervisor's vendor and product.
Json virtualisation(const Path& root) {
  const auto flags = value_in(root / "proc/cpuinfo", "flags", ':');
  const Path dmi = root / "sys/class/dmi/id";
  return {{"hypervisor",
           flags ? Json((" " + *flags + " ").find(" hypervisor ") != flags->npos) : Json()},
          {"vendor", text_of(dmi / "sys_vendor")},
          {"product", text_of(dmi / "product_name")}};
}

Json mitigations(const Path& root) {
  std::error_code error;
  std::map<std::string, Json> by_name;  // a directory lists its files in no order
  for (const auto& entry : std::filesystem::directory_iterator(
           root / "sys/devices/system/cpu/vulnerabilities", error)) {
    by_name[entry.path().filename()] = text_of(entry.path());
  }
  if (by_name.empty()) return {};
  Json all = Json::object();
  for (const auto& [name, state] : by_name) all[name] = state;
  return all;
}

/// Returns the soft and hard limits of open descriptors; "unlimited" is null.
Json descriptor_limits(const Path& root) {
  Json limits = {{"soft", nullptr}, {"hard", nullptr}};
  std::ifstream stream(root / "proc/self/limits");
  for (std::string line; std::getline(stream, line);) {
    constexpr std::string_view name = "Max open files";
    if (!line.starts_with(name)) continue;
    std::istringstream words(line.substr(name.size()));
    std::string soft, hard;
    words >> soft >> hard;
    limits["soft"] = number_of(soft);
    limits["hard"] = number_of(hard);
  }
  return limits;
}

Json memory_bytes(const Path& root, std::string_view key) {
  const Json kib = number_of(value_in(root / "proc/meminfo", key, ':').value_or(""));
  return kib.is_null() ? kib : Json(kib.get<std::uint64_t>() * 1024);
}

/// Returns the bytes of one object of each slab cache, slabinfo(5). Only root can read them.
Json slab_bytes(const Path& root, std::set<std::string> caches) {
  std::ifstream stream(root / "proc/slabinfo");
  std::uint64_t sum = 0;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t active = 0, all = 0, size = 0, per_slab = 0, pages = 0;
    words >> name >> active >> all >> size >> per_slab >> pages;
    constexpr std::uint64_t kPage = 4096;
    if (per_slab > 0 && caches.erase(name) > 0) sum += (pages * kPage + per_slab - 1) / per_slab;
  }
  return caches.empty() ? Json(sum) : Json();
}

/// Returns the kernel memory of a TCP socket: its objects, and the limits of its buffers.
Json socket_memory(const Path& root) {
  const Path net = root / "proc/sys/net/ipv4";
  return {{"objects_bytes", slab_bytes(root, {"TCP", "sock_inode_cache", "filp", "dentry"})},
          {"receive_buffer_min_default_max_bytes", numbers_in(net / "tcp_rmem", 3)},
          {"send_buffer_min_default_max_bytes", numbers_in(net / "tcp_wmem", 3)},
          {"all_sockets_low_pressure_high_pages", numbers_in(net / "tcp_mem", 3)}};
}

/// Returns the lowest limits of our control group and its ancestors.
Json control_group(const Path& root, const ControlGroupLimits& limits) {
  const auto value = [](const auto& limit) { return limit ? Json(limit->value) : Json(); };
  const auto file = [](const auto& limit) { return limit ? Json(limit->file) : Json(); };
  const auto throttling = control_group_throttling(root);
  return {{"processors", value(limits.processors)},
          {"memory_bytes", value(limits.memory_bytes)},
          {"memory_left_bytes", value(limits.memory_left_bytes)},
          {"tasks", value(limits.tasks)},
          {"set_by",
           {{"processors", file(limits.processors)},
            {"memory", file(limits.memory_left_bytes)},
            {"tasks", file(limits.tasks)}}},
          {"throttled_periods", throttling ? Json(throttling->periods) : Json()},
          {"throttled_us", throttling ? Json(throttling->us) : Json()}};
}

std::string architecture() {
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "unknown";
}

/// g++'s version is a bare number; clang++'s contains its name.
std::string compiler() {
  const std::string_view version = __VERSION__;
  return fmt::format("{}{}", version.front() >= '0' && version.front() <= '9' ? "g++ " : "",
                     version);
}

Json build() {
  return {{"type", build_stamp.type}, {"flags", build_stamp.flags}, {"commit", build_stamp.commit}};
}

Json libraries() {
  return {{"libc", fmt::format("glibc {}", ::gnu_get_libc_version())},
          {"libevent_header", LIBEVENT_VERSION},
          {"libevent_library", ::event_get_version()},
          {"liburing", MUXLAB_LIBURING_VERSION},
          {"libuv", ::uv_version_string()},
          {"asio", fmt::format("{}.{}.{}", ASIO_VERSION / 100'000, ASIO_VERSION / 100 % 1000,
                               ASIO_VERSION % 100)}};
}

}  // namespace

Json machine_card(const Path& root) {
  const Path processors = root / "sys/devices/system/cpu";
  const Path kernel = root / "proc/sys/kernel";
  const Path net = root / "proc/sys/net";
  const ControlGroupLimits group = control_group_limits(root);
  return {
      {"distribution", text_in(root / "etc/os-release", "PRETTY_NAME", '=')},
      {"kernel_release", text_of(kernel / "osrelease")},
      {"architecture", architecture()},
      {"cpu_model", text_in(root / "proc/cpuinfo", "model name", ':')},
      {"processors_online", count_processors(processors / "online")},
      {"memory_bytes", memory_bytes(root, "MemTotal")},
      {"memory_available_bytes", memory_bytes(root, "MemAvailable")},
      {"virtualisation", virtualisation(root)},
      {"mitigations", mitigations(root)},
      {"governor", text_of(processors / "cpu0/cpufreq/scaling_governor")},
      {"simultaneous_multithreading", text_of(processors / "smt/control")},
      {"clock_source",
       text_of(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")},
      {"cpu_quota", group.cpu_quota.empty() ? Json() : Json(group.cpu_quota)},
      {"control_group", control_group(root, group)},
      {"descriptor_limit", descriptor_limits(root)},
      {"nr_open", number_in(root / "proc/sys/fs/nr_open")},
      {"file_max", number_in(root / "proc/sys/fs/file-max")},
      {"epoll_max_user_watches", number_in(root / "proc/sys/fs/epoll/max_user_watches")},
      {"fd_setsize", FD_SETSIZE},
      {"ip_local_port_range", numbers_in(net / "ipv4/ip_local_port_range", 2)},
      {"somaxconn", number_in(net / "core/somaxconn")},
      {"tcp_congestion_control", text_of(net / "ipv4/tcp_congestion_control")},
      {"tcp_congestion_control_available", words_in(net / "ipv4/tcp_available_congestion_control")},
      {"memory_per_socket", socket_memory(root)},
      {"io_uring_disabled", number_in(kernel / "io_uring_disabled")},
      {"seccomp_mode", number_of(value_in(root / "proc/self/status", "Seccomp", ':').value_or(""))},
      {"compiler", compiler()},
      {"build", build()},
      {"libraries", libraries()},
  };
}

std::optional<MemoryLeft> memory_left(const Json& card) {
  std::optional<MemoryLeft> left;
  const auto number = [](const Json& value) { return value.get<std::uint64_t>(); };
  const Json available = card.value("memory_available_bytes", Json());
  if (available.is_number()) left = MemoryLeft{number(available), ""};
  const Json group = card.value("control_group", Json::object());
  const Json allowed = group.value("memory_left_bytes", Json());
  if (allowed.is_number() && (!left || number(allowed) < left->bytes)) {
    left = MemoryLeft{number(allowed), group["set_by"]["memory"].get<std::string>()};
  }
  return left;
}

}  // namespace muxlab
