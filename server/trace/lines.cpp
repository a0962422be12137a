#include "server/trace/lines.hpp"

#include <fmt/format.h>

#include <utility>

namespace muxlab::trace {
namespace {

std::string time_text(std::uint64_t ns) {
  return fmt::format("{:.1f}", static_cast<double>(ns) / 1000);
}

class Lines {
 public:
  explicit Lines(const Trace& trace) {
    turns_.emplace_back();
    for (const Event& event : trace.events) add(event);
  }

  std::vector<Turn> turns() { return std::move(turns_); }

 private:
  void add(const Event& event) {
    if (event.kind == Event::Kind::step) {
      if (!turns_.back().calls.empty()) turns_.emplace_back();
      turns_.back().steps.push_back(
          {.time_us = time_text(event.at_ns), .actor = event.actor, .call = event.step});
    } else {
      turns_.back().calls.push_back(call_line(event));
    }
  }

  static Line call_line(const Event& event) {
    const TracedCall& call = event.call;
    const bool waits = event.kind == Event::Kind::waits;
    Line line{.time_us = time_text(event.at_ns),
              .actor = call.thread == 0 ? "server" : fmt::format("thread {}", call.thread),
              .call = event.was_waiting ? "... " + call.name : call_text(call),
              .result = waits ? "waits" : "= " + result_text(call)};
    if (!event.was_waiting) add_requests("submits", call.submits, line);
    if (!waits) add_requests("brings", call.completes, line);
    return line;
  }

  static void add_requests(const char* what, const std::vector<RingRequest>& requests, Line& line) {
    for (const RingRequest& request : requests) {
      line.below.push_back(fmt::format("  {} {}", what, request_text(request)));
    }
  }

  std::vector<Turn> turns_;
};

}  // namespace

std::vector<Turn> turns_of(const Trace& trace) { return Lines(trace).turns(); }

std::string text_of(const Line& line, std::size_t width) {
  if (line.result.empty()) return line.call;
  return fmt::format("{:<{}} {}", line.call, width, line.result);
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
