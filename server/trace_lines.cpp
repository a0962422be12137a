#include "server/trace_lines.hpp"

#include <fmt/format.h>

#include <utility>

namespace muxlab::trace {
namespace {

std::string time_text(std::uint64_t ns) {
  return fmt::format("{:.1f}", static_cast<double>(ns) / 1000);
}

class Lines {
 public:
  explicit Lines(const Trace& trace) : trace_(trace) {
    turns_.emplace_back();
    for (const Event& event : trace.events) add(event);
  }

  std::vector<Turn> turns() { return std::move(turns_); }

 private:
  void add(const Event& event) {
    if (event.kind == Event::Kind::step) {
      if (!turns_.back().calls.empty()) turns_.emplace_back();
      turns_.back().steps.push_back({.time_us = time_text(event.at_ns),
                                     .who = event.who,
                                     .call = event.step,
                                     .result = "",
                                     .is_step = true});
      return;
    }
    const bool waits = event.kind == Event::Kind::waits;
    const TracedCall& call = event.call;
    add_line(event, event.was_waiting ? "... " + call.name : call_text(call),
             waits ? "waits" : result_text(call));
    if (!event.was_waiting) add_requests("submits", call.submits);
    if (!waits) add_requests("brings", call.completes);
  }

  void add_line(const Event& event, std::string call, std::string result) {
    const bool alone = trace_.threads <= 1;
    turns_.back().calls.push_back(
        {.time_us = time_text(event.at_ns),
         .who = alone ? "server" : fmt::format("server {}", event.call.thread),
         .call = std::move(call),
         .result = std::move(result)});
  }

  void add_requests(const char* what, const std::vector<RingRequest>& requests) {
    for (const RingRequest& request : requests) {
      turns_.back().calls.push_back({.time_us = "",
                                     .who = "",
                                     .call = fmt::format("  {} {}", what, request_text(request)),
                                     .result = ""});
    }
  }

  const Trace& trace_;
  std::vector<Turn> turns_;
};

}  // namespace

std::vector<Turn> turns_of(const Trace& trace) { return Lines(trace).turns(); }

std::string text_of(const Line& line, std::size_t width) {
  if (line.result.empty()) return line.call;
  const char* const sign = line.result == "waits" ? "  " : "= ";
  return fmt::format("{:<{}} {}{}", line.call, width, sign, line.result);
}

std::string calls_text(const Trace& trace) {
  std::string text;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    if (trace.calls[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kCallNames[i], trace.calls[i]);
    sum += trace.calls[i];
  }
  return fmt::format("{}: {} calls", text, sum);
}

}  // namespace muxlab::trace
