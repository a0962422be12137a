#include "server/trace.hpp"
#include "server/trace_lines.hpp"

namespace muxlab::trace {
std::string versus_text(const Trace& one, const Trace& other, const TextLayout& layout) {
  return trace_text(one, layout) + trace_text(other, layout);
}
}  // namespace muxlab::trace
