#include "bench/report_content.hpp"

#include <fmt/format.h>

#include "bench/experiment.hpp"

namespace muxlab {
namespace {

std::string question_of(const std::string& name) {
  for (const Experiment& experiment : experiments()) {
    if (experiment.name == name) return std::string(experiment.question);
  }
  return {};
}

Section reading_section() {
  return {"reading",
          "How to read this",
          {Bullets{
              {"Server CPU per echo is the steadiest figure and the one to compare. Over loopback "
               "the sender's processor also carries the receiver's TCP work, for both sides alike.",
               "System calls per echo are the reason behind it, and hardly vary.",
               "Throughput belongs to whichever of server and client had no processor time left.",
               "Verdicts compare within rounds, because the machine is not the same from one to "
               "the next, and are corrected for how many there are. \"Cannot tell\" does not mean "
               "equal: it means that this many trials cannot tell.",
               "Bars go from the least trial to the greatest, points are medians. A hollow point "
               "stands on fewer than seven trials that nothing disturbed.",
               "All pictures of one kind have the same scale."}}}};
}

}  // namespace

Document report_document(const ReportSource& source) {
  const auto experiment = source.record.value("experiment", std::string("results"));
  const auto date = source.record.value("started_utc", std::string()).substr(0, 10);
  return {fmt::format("muxlab {}, {}", experiment, date),
          question_of(experiment),
          {answer_section(source), trust_section(source), pictures_section(source),
           limiter_section(source), reading_section()}};
}

}  // namespace muxlab
