#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "bench/campaign/sliced_plan.hpp"
#include "bench/data/records.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::filesystem::path& folder, const std::string& why) {
  throw Failure(ExitCode::usage, fmt::format("--resume {}: {}", folder.string(), why));
}

}  // namespace

SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder) {
  const Json json = read_machine_record(folder);
  if (is_complete(json)) refuse(folder, "it is complete");
  const std::string another = why_another_machine(json.at("machine"));
  if (json.value("program", "") != hash_of_program()) {
    refuse(folder, fmt::format("it was begun by another build of muxlab, and results of two builds "
                               "do not mix{}",
                               another.empty() ? "" : ": " + another));
  }
  if (!another.empty()) refuse(folder, another);
  SlicedPlan plan = plan_from_json(json.at("plan"));
  for (const PlannedContender& one : plan.contenders) {
    if (muxlab::find_backend(one.contender.backend) != nullptr) continue;
    refuse(folder, fmt::format("this build has no backend {}", one.contender.backend));
  }
  if (std::filesystem::exists(folder / "records.csv")) (void)read_records(folder);
  if (plan.allowed_processors != allowed_processors()) {
    refuse(folder, fmt::format("it was begun on the processors {}, and may now use {}",
                               fmt::join(plan.allowed_processors, ","),
                               fmt::join(allowed_processors(), ",")));
  }
  check_fit(plan);
  json.at("command_line").get_to(plan.command_line);
  plan.folder = folder;
  plan.is_resumed = true;
  return plan;
}

}  // namespace muxlab
