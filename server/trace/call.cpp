#include "server/trace/call.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

namespace muxlab::trace {

std::string call_text(const TracedCall& call) {
  return fmt::format("{}({})", call.name, fmt::join(call.arguments, ", "));
}

std::string result_text(const TracedCall& call) {
  std::string text = call.returned;
  const char* separator = ": ";
  for (const Ready& ready : call.brings) {
    text += fmt::format("{}{} {}", separator, ready.descriptor, ready.events);
    separator = ", ";
  }
  return text;
}

std::string request_text(const RingRequest& request) {
  std::string text = request.operation;
  if (!request.descriptor.empty()) text += ' ' + request.descriptor;
  if (request.result) text += ": " + request.returned;
  for (const std::string& detail : request.details) text += ", " + detail;
  return text;
}

std::string errno_name(int error) {
  const char* const name = ::strerrorname_np(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

}  // namespace muxlab::trace
