#include <cmath>

#include "bench/report/answer_files.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kAnswerSchema = 1;

std::string_view status_key(Status status) {
  return status == Status::measured ? "measured"
         : status == Status::failed ? "failed"
                                    : "unavailable";
}

Json latency_json(const AtLoad& one) {
  if (std::isnan(one.latency_ns[0])) return {};
  Json json;
  for (std::size_t i = 0; i < kPercentileNames.size(); ++i) {
    json[std::string(kPercentileNames[i])] = number_or_null(one.latency_ns[i]);
  }
  return json;
}

Json backend_json(const AtLoad& one) {
  Json calls;
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    calls[std::string(kCallNames[i])] =
        number_or_null(one.status == Status::measured ? one.calls_per_echo[i] : kNotMeasured);
  }
  return {{"name", one.planned.contender.name},
          {"status", status_key(one.status)},
          {"reason", one.reason.empty() ? Json() : Json(one.reason)},
          {"broken_slices", one.broken},
          {"cpu_ns_per_echo", number_or_null(one.ns[Metric::cpu])},
          {"syscalls_per_echo", number_or_null(one.syscalls_per_echo)},
          {"calls_per_echo", std::move(calls)},
          {"events_per_wait", number_or_null(one.events_per_wait)},
          {"window_events_per_wait", number_or_null(one.window_events_per_wait)},
          {"bursty", one.is_bursty()},
          {"echoes_per_s", number_or_null(one.echoes_per_s)},
          {"bound", one.bound == Bound::unknown ? Json() : Json(name_of(one.bound))},
          {"latency_ns", latency_json(one)}};
}

Json finding_json(const Finding& finding) {
  return {{"ratio", number_or_null(finding.ratio)},
          {"low", number_or_null(finding.low)},
          {"high", number_or_null(finding.high)},
          {"verdict", verdict_key(finding.verdict)}};
}

Json comparison_json(const Answer& answer, const LoadAnswer& load, const AtLoad& one,
                     Metric metric) {
  const Compared& compared = *one.compared[metric];
  Json json = {{"backend", one.planned.contender.name}, {"baseline", answer.plan.baseline()}};
  json.update(load_json(load.load));
  json["metric"] = name_of(metric);
  json.update(finding_json(compared.finding));
  json["n"] = compared.estimate.blocks;
  json["rigs"] = compared.estimate.rigs;
  json["look"] = compared.look + 1;
  json["ratio_of_sums"] = number_or_null(compared.ratio_of_sums);
  json["heavy_tail"] = compared.has_heavy_tail();
  return json;
}

Json self_check_json(const Answer& answer, Role role) {
  const auto finding = self_check(answer, role);
  if (!finding) return {};
  Json json = finding_json(*finding);
  json["loads"] = Json::array();
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      const auto& compared = one.compared[Metric::cpu];
      if (one.planned.role != role || !compared) continue;
      Json cell = load_json(load.load);
      cell.update(finding_json(compared->finding));
      json["loads"].push_back(std::move(cell));
    }
  }
  return json;
}

}  // namespace

Json answer_json(const Answer& answer, const Json& machine) {
  Json loads = Json::array(), comparisons = Json::array(), pooled = Json::array();
  for (const LoadAnswer& load : answer.loads) {
    Json json = load_json(load.load);
    json["rigs"] = load.rigs;
    json["f"] = number_or_null(load.inflation.f);
    json["stolen_share"] = load.stolen_share;
    json["others_share"] = load.others_share;
    json["backends"] = Json::array();
    for (const AtLoad& one : load.contenders) {
      json["backends"].push_back(backend_json(one));
      for (const Metric metric : kMetrics) {
        if (!one.compared[metric]) continue;
        comparisons.push_back(comparison_json(answer, load, one, metric));
      }
    }
    loads.push_back(std::move(json));
  }
  for (const Pooled& one : answer.pooled) {
    Json json = {{"backend", one.planned.contender.name}, {"metric", name_of(Metric::cpu)}};
    json.update(finding_json(one.finding));
    pooled.push_back(std::move(json));
  }
  return {{"schema_version", kAnswerSchema},
          {"status", machine.at("run_status")},
          {"machine", machine.at("machine")},
          {"loads", std::move(loads)},
          {"comparisons", std::move(comparisons)},
          {"pooled", std::move(pooled)},
          {"self_check",
           {{"same_again", self_check_json(answer, Role::same_again)},
            {"one_call_more", self_check_json(answer, Role::extra_call)}}}};
}

}  // namespace muxlab
