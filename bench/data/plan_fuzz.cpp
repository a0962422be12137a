#include <cassert>
#include <iterator>

#include "backends/parts/failure.hpp"
#include "bench/analysis/answer.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

void check(const std::string& text) {
  Json record;
  try {
    record = parse_machine_record(text, "machine.json");
  } catch (const Failure& failure) {
    const std::string_view what = failure.what();
    assert(failure.code() == ExitCode::usage);
    assert(what.starts_with("machine.json") && what.find('\n') == std::string_view::npos);
    assert(what.find("json.exception") == std::string_view::npos && what.size() < 1'000);
    return;
  }
  const SlicedPlan plan = plan_from_json(record.at("plan"));
  const Json again = plan_json(plan);
  assert(plan_json(plan_from_json(again)) == again && "it is read as it was written");
  (void)answer_of(plan, {});
  (void)plan.seconds();
  (void)doubt_of_build(record);
}

/// Returns a valid record with the value at one place replaced by the input.
std::string with(std::size_t place, std::string_view value) {
  static const Json record = [] {
    SlicedPlan plan;
    plan.contenders = {{{"epoll-lt", "epoll-lt"}, Role::baseline}, {{"poll", "poll"}}};
    PlannedLoad& load = plan.loads.emplace_back();
    load.cell.threading = "single";
    load.unavailable.resize(2);
    load.processors = {{0}, {1}};
    return new_machine_record(plan);
  }();
  static const Json places = record.flatten();
  auto field = places.begin();
  std::advance(field, static_cast<std::ptrdiff_t>(place % places.size()));
  constexpr std::string_view kMark = "the input";
  Json changed = record;
  changed[Json::json_pointer(field.key())] = kMark;
  std::string text = changed.dump();
  const std::size_t begin = text.find("\"the input\"");
  return text.replace(begin, kMark.size() + 2, value);
}

}  // namespace
}  // namespace muxlab

/// A machine.json as it is, or a value of one of its fields.
// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  muxlab::check(data[0] == 0 ? std::string(rest) : muxlab::with(data[0], rest));
  return 0;
}
