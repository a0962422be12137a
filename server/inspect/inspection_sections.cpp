#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "server/inspect/inspection.hpp"

namespace muxlab {
namespace {

using FoundJson = nlohmann::ordered_json;

/// A table of names and values under a heading.
class Section {
 public:
  explicit Section(const char* heading) { table_.row({{heading, Ink::bold}, {""}}); }
  void line(const std::string& name, const std::string& value, Ink ink = Ink::none) {
    table_.row({{name}, {value, ink}});
  }
  [[nodiscard]] std::string text(const TextLayout& layout) const { return table_.text(layout); }

 private:
  TextTable table_{{TextTable::Align::left, TextTable::Align::left}};
};

/// Adds one line for all working features, and one for each failed one.
void add_tried(Section& section, const std::string& name, const FoundJson& tried) {
  std::vector<std::string> working;
  for (const FoundJson& one : tried) {
    if (one["works"]) working.push_back(show_value(one["name"]));
  }
  if (!working.empty()) section.line(name, fmt::format("{}", fmt::join(working, ", ")), Ink::good);
  for (const FoundJson& one : tried) {
    if (one["works"]) continue;
    const std::string fix = one.contains("fix") ? show_value(one["fix"]) : "";
    section.line("no " + show_value(one["name"]),
                 fmt::format("{}{}{}", show_value(one["reason"]), fix.empty() ? "" : "; ", fix),
                 Ink::bad);
  }
}

/// Linux 6.6 introduced the switch. `release` is the kernel's, null if unknown.
std::string kernel_switch(const FoundJson& disabled, const FoundJson& release) {
  if (disabled == 0) return "kernel.io_uring_disabled is 0: on";
  if (disabled == 1) return "kernel.io_uring_disabled is 1: off without privileges";
  if (disabled == 2) return "kernel.io_uring_disabled is 2: off";
  if (release.is_null()) return "unknown: no kernel.io_uring_disabled";
  return "none, always on: no kernel.io_uring_disabled";
}

std::string seccomp(const FoundJson& mode) {
  if (mode == 0) return "no filter";
  if (mode == 1) return "strict";
  if (mode == 2) return "a filter is in force";
  return "unknown";
}

std::string io_uring_text(const FoundJson& card, const FoundJson& machine,
                          const TextLayout& layout) {
  Section section("IO_URING");
  const bool works = card["status"] == "works";
  section.line("status", show_value(card["status"]), works ? Ink::good : Ink::bad);
  for (const char* key : {"reason", "fix"}) {
    if (!show_value(card[key]).empty()) section.line(key, show_value(card[key]), Ink::bad);
  }
  section.line("kernel switch",
               kernel_switch(machine["io_uring_disabled"], machine["kernel_release"]));
  section.line("seccomp", seccomp(machine["seccomp_mode"]));
  add_tried(section, "set-up", card["setup"]);
  add_tried(section, "does", card["tried"]);
  if (!works) return section.text(layout);
  section.line("features", show_value(card["features"]));
  const FoundJson& operations = card["operations"];
  if (operations.is_null()) return section.text(layout);
  section.line("operations", fmt::format("{} in the kernel, {} in the headers of liburing {}",
                                         operations["kernel"].dump(), operations["headers"].dump(),
                                         show_value(machine["libraries"]["liburing"])));
  for (const char* where : {"kernel", "headers"}) {
    const FoundJson& only = operations[std::string("only_") + where];
    if (!only.empty()) section.line(fmt::format("only in {}", where), show_value(only));
  }
  return section.text(layout);
}

std::string libevent_text(const FoundJson& card, const TextLayout& layout) {
  Section section("LIBEVENT");
  section.line("version", fmt::format("{}, headers {}", show_value(card["version_library"]),
                                      show_value(card["version_header"])));
  for (const FoundJson& method : card["methods"]) {
    std::string said = method["usable"] ? "usable" : "not usable";
    if (!method["max_descriptor"].is_null()) {
      said += fmt::format(" up to descriptor {}", method["max_descriptor"].dump());
    }
    if (!method["features"].empty()) said += "; features " + show_value(method["features"]);
    for (const char* key : {"reason", "fix"}) {
      if (!show_value(method[key]).empty()) said += "; " + show_value(method[key]);
    }
    section.line(show_value(method["name"]), said, method["usable"] ? Ink::none : Ink::bad);
  }
  section.line("left to itself", show_value(card["default_method"]));
  if (card["environment"].empty()) section.line("environment", "no switch is set");
  for (const FoundJson& one : card["environment"]) {
    section.line("environment", fmt::format("{}={}: {}", show_value(one["name"]),
                                            show_value(one["value"]), show_value(one["effect"])));
  }
  return section.text(layout);
}

std::string mib(const FoundJson& bytes) {
  if (bytes.is_null()) return "unknown";
  return fmt::format("{} MiB", bytes.get<std::uint64_t>() >> 20);
}

/// Returns each limit with the file that sets it.
std::string control_group(const FoundJson& group) {
  std::vector<std::string> limits;
  const auto add = [&](const char* name, const std::string& value) {
    limits.push_back(fmt::format("{} by {}", value, show_value(group["set_by"][name])));
  };
  if (!group["processors"].is_null()) {
    add("processors", fmt::format("{:g} processors", group["processors"].get<double>()));
  }
  if (!group["memory_bytes"].is_null()) {
    add("memory", fmt::format("{} of memory, {} left", mib(group["memory_bytes"]),
                              mib(group["memory_left_bytes"])));
  }
  if (!group["tasks"].is_null()) {
    add("tasks", fmt::format("{} threads", group["tasks"].dump()));
  }
  if (group["throttled_periods"].is_number() && group["throttled_periods"] > 0) {
    limits.push_back(fmt::format("throttled {} times, {:.1f} s in all",
                                 group["throttled_periods"].dump(),
                                 group["throttled_us"].get<double>() / 1e6));
  }
  return limits.empty() ? "no limit" : fmt::format("{}", fmt::join(limits, "; "));
}

std::string ports(const FoundJson& range) {
  if (range.is_null()) return "unknown";
  const auto first = range[0].get<std::uint64_t>(), last = range[1].get<std::uint64_t>();
  return fmt::format("{} to {}: {} from one address to one port", first, last, last - first + 1);
}

void add_socket_memory(Section& section, const FoundJson& memory) {
  section.line("per socket",
               fmt::format("{} bytes of kernel objects", show_value(memory["objects_bytes"])));
  const char* const buffers = "least, default, most bytes";
  section.line(
      "receive buffer",
      fmt::format("{}: {}", buffers, show_value(memory["receive_buffer_min_default_max_bytes"])));
  section.line("send buffer", fmt::format("{}: {}", buffers,
                                          show_value(memory["send_buffer_min_default_max_bytes"])));
}

void add_mitigations(Section& section, const FoundJson& mitigations) {
  if (mitigations.is_null()) section.line("mitigations", "unknown");
  std::size_t unaffected = 0;
  for (const auto& [name, state] : mitigations.items()) {
    if (state == "Not affected") {
      ++unaffected;
    } else {
      section.line("mitigations", fmt::format("{}: {}", name, show_value(state)));
    }
  }
  if (unaffected > 0) section.line("mitigations", fmt::format("not affected by {}", unaffected));
}

void add_system(Section& section, const FoundJson& card) {
  section.line("system",
               fmt::format("{}, Linux {}, {}", show_value(card["distribution"]),
                           show_value(card["kernel_release"]), show_value(card["architecture"])));
  section.line(
      "processors",
      fmt::format("{}, {}; SMT {}; governor {}", show_value(card["processors_online"]),
                  show_value(card["cpu_model"]), show_value(card["simultaneous_multithreading"]),
                  show_value(card["governor"])));
  const FoundJson& guest = card["virtualisation"];
  section.line("hypervisor",
               fmt::format("{}; vendor {}, product {}", show_value(guest["hypervisor"]),
                           show_value(guest["vendor"]), show_value(guest["product"])));
  section.line("clock source", show_value(card["clock_source"]));
  section.line("memory", fmt::format("{}, {} available", mib(card["memory_bytes"]),
                                     mib(card["memory_available_bytes"])));
  section.line("control group", control_group(card["control_group"]));
}

void add_limits(Section& section, const FoundJson& card) {
  const FoundJson& limit = card["descriptor_limit"];
  section.line("descriptors",
               fmt::format("soft limit {}, hard limit {}; fs.nr_open {}, fs.file-max {}",
                           show_value(limit["soft"]), show_value(limit["hard"]),
                           show_value(card["nr_open"]), show_value(card["file_max"])));
  section.line("FD_SETSIZE", show_value(card["fd_setsize"]));
  section.line("epoll watches", show_value(card["epoll_max_user_watches"]));
  section.line("ports", ports(card["ip_local_port_range"]));
  section.line("somaxconn", show_value(card["somaxconn"]));
  section.line("congestion", fmt::format("{}, of {}", show_value(card["tcp_congestion_control"]),
                                         show_value(card["tcp_congestion_control_available"])));
}

}  // namespace

std::string show_value(const FoundJson& value) {
  if (value.is_null()) return "unknown";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::vector<std::string> all;
  for (const FoundJson& one : value) all.push_back(show_value(one));
  return fmt::format("{}", fmt::join(all, " "));
}

std::string mechanisms_text(const FoundJson& found, const TextLayout& layout) {
  Section epoll("EPOLL");
  add_tried(epoll, "does", found["epoll"]["tried"]);
  return epoll.text(layout) + '\n' + io_uring_text(found["io_uring"], found["machine"], layout) +
         '\n' + libevent_text(found["libevent"], layout);
}

std::string machine_text(const FoundJson& card, const TextLayout& layout) {
  Section section("MACHINE");
  add_system(section, card);
  add_limits(section, card);
  add_socket_memory(section, card["memory_per_socket"]);
  add_mitigations(section, card["mitigations"]);
  const FoundJson& build = card["build"];
  section.line("build", fmt::format("commit {}, {}, {}", show_value(build["commit"]),
                                    show_value(build["type"]), show_value(card["compiler"])));
  return section.text(layout);
}

}  // namespace muxlab
