#include <cassert>

#include "backends/parts/failure.hpp"
#include "bench/analysis/answer.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/records.hpp"

namespace muxlab {
namespace {

std::string text_of(const std::vector<RigRecord>& records) {
  std::string text = csv_record(record_header());
  for (const RigRecord& record : records) text += csv_record(record_fields(record));
  return text;
}

/// Returns a plan for the records, so that the fuzzer also computes the answer.
SlicedPlan plan_of(const std::vector<RigRecord>& records) {
  SlicedPlan plan;
  plan.contenders = {{{"epoll-lt", "epoll-lt"}, Role::baseline}, {{"poll", "poll"}}};
  PlannedLoad& load = plan.loads.emplace_back();
  if (!records.empty()) load.cell = records.front().cell;
  if (!records.empty()) load.placement = records.front().placement;
  load.unavailable.resize(2);
  plan.allowed_processors = {0, 1};
  load.processors = {{0}, {1}};
  return plan;
}

void check(std::string_view text) {
  std::vector<RigRecord> records;
  try {
    records = parse_records(text, "records.csv");
  } catch (const Failure& failure) {
    assert(failure.code() == ExitCode::usage);
    assert(std::string_view(failure.what()).starts_with("records.csv line "));
    return;
  }
  (void)answer_of(plan_of(records), records);
  const std::string once = text_of(records);
  assert(text_of(parse_records(once, "records.csv")) == once && "it is read as it was written");
}

}  // namespace
}  // namespace muxlab

/// The rows of a records.csv, with the header or, where the first byte is odd, without.
// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string header = muxlab::csv_record(muxlab::record_header());
  muxlab::check(data[0] % 2 == 1 ? std::string(rest) : header + std::string(rest));
  return 0;
}
