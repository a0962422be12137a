#include <nlohmann/json.hpp>
#include <string>

#include "server/trace/trace.hpp"

namespace muxlab::trace {
namespace {

using TraceJson = nlohmann::ordered_json;

TraceJson or_null(const std::string& text) { return text.empty() ? TraceJson() : TraceJson(text); }

TraceJson errno_json(int error) { return error == 0 ? TraceJson() : TraceJson(errno_name(error)); }

TraceJson request_json(const RingRequest& request) {
  TraceJson json = {{"operation", request.operation},
                    {"descriptor", or_null(request.descriptor)},
                    {"details", request.details}};
  if (request.result) {
    json["result"] = *request.result;
    json["returned"] = request.returned;
  }
  return json;
}

TraceJson requests_json(const std::vector<RingRequest>& requests) {
  TraceJson json = TraceJson::array();
  for (const RingRequest& request : requests) json.push_back(request_json(request));
  return json;
}

TraceJson step_json(const Event& event) {
  return {{"kind", "step"}, {"at_ns", event.at_ns}, {"who", event.actor}, {"step", event.step}};
}

TraceJson call_json(const Event& event) {
  const TracedCall& call = event.call;
  const bool waits = event.kind == Event::Kind::waits;
  TraceJson json = {{"kind", waits ? "waits" : "returned"},
                    {"at_ns", event.at_ns},
                    {"who", event.actor},
                    {"thread", call.thread},
                    {"call", call.name},
                    {"counted_as", kCallNames[static_cast<std::size_t>(call.call)]},
                    {"arguments", call.arguments},
                    {"submits", requests_json(call.submits)}};
  if (waits) return json;
  TraceJson brings = TraceJson::array();
  for (const Ready& ready : call.brings) {
    brings.push_back({{"descriptor", ready.descriptor}, {"events", ready.events}});
  }
  json.update({{"began_ns", event.began_ns},
               {"was_waiting", event.was_waiting},
               {"result", call.result},
               {"error", errno_json(call.error)},
               {"returned", call.returned},
               {"brings", brings},
               {"completes", requests_json(call.completes)}});
  return json;
}

TraceJson trace_json(const Trace& trace) {
  TraceJson descriptors = TraceJson::array();
  for (const auto& [name, fd] : trace.descriptors) {
    descriptors.push_back({{"name", name}, {"fd", fd}});
  }
  TraceJson calls;
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    calls[std::string(kCallNames[i])] = trace.calls[i];
  }
  TraceJson events = TraceJson::array();
  for (const Event& event : trace.events) {
    events.push_back(event.kind == Event::Kind::step ? step_json(event) : call_json(event));
  }
  return {{"backend", trace.backend},   {"stood_still", trace.stood_still},
          {"threads", trace.threads},   {"descriptors", descriptors},
          {"bytes_in", trace.bytes_in}, {"bytes_out", trace.bytes_out},
          {"syscalls", calls},          {"events", events}};
}

}  // namespace

nlohmann::ordered_json traces_json(const std::vector<Trace>& traces,
                                   const std::vector<Step>& steps) {
  TraceJson script = TraceJson::array();
  for (const Step& step : steps) script.push_back(describe(step));
  TraceJson all = TraceJson::array();
  for (const Trace& trace : traces) all.push_back(trace_json(trace));
  return {{"schema_version", 1}, {"script", script}, {"traces", all}};
}

}  // namespace muxlab::trace
