#include "backends/machine.hpp"

#include <event2/event.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/select.h>
#include <sys/utsname.h>
#include <uv.h>

#include <algorithm>
#include <asio/version.hpp>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::filesystem::path;

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The trimmed text of a file; nothing when there is no such file or it is empty.
std::optional<std::string> read_text(const Path& file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (trim(text).empty()) return std::nullopt;
  return std::string(trim(text));
}

Json text_of(const Path& file) {
  const auto text = read_text(file);
  return text ? Json(*text) : Json();
}

Json number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} ? Json(number) : Json();
}

Json number_in(const Path& file) { return number_of(read_text(file).value_or("")); }

/// The value of the first "key SEPARATOR value" line, as in /proc/cpuinfo or /etc/os-release.
std::optional<std::string> value_in(const Path& file, std::string_view key, char separator) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || trim(std::string_view(line).substr(0, at)) != key) continue;
    std::string_view value = trim(std::string_view(line).substr(at + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return std::nullopt;
}

Json text_in(const Path& file, std::string_view key, char separator) {
  const auto value = value_in(file, key, separator);
  return value ? Json(*value) : Json();
}

/// How many processors a list such as "0-3,8" names.
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

/// A guest is known by the processor's hypervisor flag; which one it is, by what DMI names.
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

/// Soft and hard limit of open descriptors; "unlimited" is null.
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

Json port_range(const Path& root) {
  std::istringstream words(read_text(root / "proc/sys/net/ipv4/ip_local_port_range").value_or(""));
  std::uint64_t first = 0, last = 0;
  return words >> first >> last ? Json{first, last} : Json();
}

Json memory_bytes(const Path& root) {
  const Json kib = number_of(value_in(root / "proc/meminfo", "MemTotal", ':').value_or(""));
  return kib.is_null() ? kib : Json(kib.get<std::uint64_t>() * 1024);
}

std::string architecture() {
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "unknown";
}

/// g++ gives a bare number as its version; clang++ names itself.
std::string compiler() {
  const std::string_view version = __VERSION__;
  return fmt::format("{}{}", version.front() >= '0' && version.front() <= '9' ? "g++ " : "",
                     version);
}

/// What the build folder around the executable was configured with; null once installed.
Json build(const Path& root) {
  std::error_code error;
  const Path executable = std::filesystem::read_symlink(root / "proc/self/exe", error);
  const Path cache = executable.parent_path() / "CMakeCache.txt";
  return {{"type", text_in(cache, "CMAKE_BUILD_TYPE:STRING", '=')},
          {"flags", text_in(cache, "CMAKE_CXX_FLAGS:STRING", '=')}};
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
  return {
      {"distribution", text_in(root / "etc/os-release", "PRETTY_NAME", '=')},
      {"kernel_release", text_of(kernel / "osrelease")},
      {"architecture", architecture()},
      {"cpu_model", text_in(root / "proc/cpuinfo", "model name", ':')},
      {"processors_online", count_processors(processors / "online")},
      {"memory_bytes", memory_bytes(root)},
      {"virtualisation", virtualisation(root)},
      {"mitigations", mitigations(root)},
      {"governor", text_of(processors / "cpu0/cpufreq/scaling_governor")},
      {"clock_source",
       text_of(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")},
      {"cpu_quota", text_of(root / "sys/fs/cgroup/cpu.max")},
      {"descriptor_limit", descriptor_limits(root)},
      {"fd_setsize", FD_SETSIZE},
      {"ip_local_port_range", port_range(root)},
      {"somaxconn", number_in(net / "core/somaxconn")},
      {"tcp_congestion_control", text_of(net / "ipv4/tcp_congestion_control")},
      {"io_uring_disabled", number_in(kernel / "io_uring_disabled")},
      {"compiler", compiler()},
      {"build", build(root)},
      {"libraries", libraries()},
  };
}

}  // namespace muxlab
