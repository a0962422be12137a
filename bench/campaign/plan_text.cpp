#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <string>
#include <vector>

#include "bench/campaign/sliced_plan.hpp"
#include "server/cli/words.hpp"

namespace muxlab {

std::string describe(const SlicedPlan& plan) {
  std::vector<std::string> compared, checks;
  for (const PlannedContender& one : plan.contenders) {
    if (one.role == Role::compared) compared.push_back(one.contender.name);
    if (one.is_self_check()) checks.push_back(one.contender.name);
  }
  std::string text;
  if (!plan.experiment.empty()) text = fmt::format("experiment  {}\n", plan.experiment);
  text += fmt::format("baseline    {}\ncompared    {}\nself-check  {}\n", plan.baseline(),
                      fmt::join(compared, " "), fmt::join(checks, " "));
  for (const PlannedLoad& load : plan.loads) {
    const Processors& processors = load.processors;
    text += fmt::format("load        {}: at most {}, server on {} {}, client on {}\n",
                        name_of_load(load.cell),
                        show_time(std::chrono::nanoseconds(std::llround(load.seconds * 1e9))),
                        processors.server.size() == 1 ? "processor" : "processors",
                        fmt::join(processors.server, ","), fmt::join(processors.client, ","));
    for (std::size_t i = 0; i < plan.contenders.size(); ++i) {
      if (load.unavailable[i].empty()) continue;
      text += fmt::format("            without {}: {}\n", plan.contenders[i].contender.name,
                          load.unavailable[i]);
    }
  }
  text += fmt::format(
      "slices      of {} ms and at least {} round trips per connection{}; {} servers of the "
      "baseline\n",
      plan.loads.front().slice_ns / 1'000'000, plan.slice_round_trips,
      plan.is_isolated ? fmt::format(", {} in a row of each server, which is started for them",
                                     slices_of_visit(true, plan.loads.front().slice_ns))
                       : "",
      plan.baseline_instances());
  text += fmt::format("verdicts    same within {:g} %, for {} comparisons together\n",
                      100 * plan.same_within, plan.family(Metric::cpu));
  if (plan.precision)
    text += fmt::format("precision   until all are within {:g} %\n", 100 * *plan.precision);
  text += fmt::format("seed        {}\n", plan.seed);
  text += fmt::format("takes       at most {}\n",
                      show_time(std::chrono::nanoseconds(std::llround(plan.seconds() * 1e9))));
  return text + fmt::format("results in  {}\n", one_line(plan.folder.string()));
}

}  // namespace muxlab
