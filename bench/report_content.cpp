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
  Bullets bullets;
  bullets.items.emplace_back(
      "Server CPU per echo is the steadiest figure and the one to compare. Over loopback the "
      "sender's processor also carries the receiver's TCP work, for both sides alike.");
  bullets.items.emplace_back("System calls per echo are the reason behind it, and hardly vary.");
  bullets.items.emplace_back(
      "Throughput belongs to whichever of server and client had no processor time left.");
  bullets.items.emplace_back(
      "Verdicts compare trials of one round, made while the machine was in the same phase: when it "
      "is slow for both, their ratio still counts. They are corrected for how many there are. "
      "\"Cannot tell\" does not mean equal: it means that this many trials cannot tell.");
  bullets.items.emplace_back(
      "Bars go from the least trial to the greatest, points are medians. A hollow point stands on "
      "fewer than seven trials that nothing disturbed.");
  bullets.items.emplace_back("All pictures of one kind have the same scale.");
  return {"reading", "How to read this", {std::move(bullets)}};
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
