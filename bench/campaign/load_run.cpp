#include "bench/campaign/load_run.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kWindow_ns = 100'000'000;
constexpr double kBuildReserve = 1.2;  // a rig takes so much longer to build and to end

double seconds_since(SteadyTime begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// Returns the CPU time of children that this process has waited for, such as an ended rig's. Adds
/// that of this process if it runs on the same processors.
double own_cpu_s(bool with_this_process) {
  double all = 0;
  for (const int target : {RUSAGE_CHILDREN, RUSAGE_SELF}) {
    if (target == RUSAGE_SELF && !with_this_process) continue;
    rusage used{};
    ::getrusage(target, &used);
    for (const timeval& time : {used.ru_utime, used.ru_stime}) {
      all += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    }
  }
  return all;
}

/// Measures the host's and other programs' share of all processors, from construction to shares().
class Surroundings {
 public:
  Surroundings(std::span<const int> processors, bool with_this_process)
      : processors_(processors),
        with_this_process_(with_this_process),
        before_(read_conditions(processors, "/")),
        own_s_(own_cpu_s(with_this_process)) {}

  void fill_in(RigRecord& record) const {
    const Conditions after = read_conditions(processors_, "/");
    const double all_s = seconds_since(begin_) * static_cast<double>(processors_.size());
    if (after.stolen_s && before_.stolen_s) {
      record.stolen_share = std::clamp((*after.stolen_s - *before_.stolen_s) / all_s, 0.0, 1.0);
    }
    if (after.busy_s && before_.busy_s) {
      const double others_s =
          *after.busy_s - *before_.busy_s - (own_cpu_s(with_this_process_) - own_s_);
      record.others_share = std::clamp(others_s / all_s, 0.0, 1.0);
    }
  }

 private:
  std::span<const int> processors_;
  bool with_this_process_;
  Conditions before_;
  double own_s_;
  SteadyTime begin_ = SteadyClock::now();
};

std::vector<int> processors_of(const PlannedLoad& load) {
  std::vector<int> all = load.processors.server;
  all.insert(all.end(), load.processors.client.begin(), load.processors.client.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// The log ratios of one contender, and when their blocks began. The first `instances` contenders
/// are the baseline.
struct LogRatios {
  std::vector<double> ratios;
  std::vector<double> at_s;
};

LogRatios log_ratios_of(std::size_t contender, std::size_t instances, Metric metric,
                        std::span<const Slice> slices) {
  LogRatios all;
  for (std::size_t begin = 0; begin < slices.size();) {
    std::size_t end = begin;
    double own = 0, baseline = 0;
    int owns = 0, baselines = 0;
    for (; end < slices.size() && slices[end].block == slices[begin].block; ++end) {
      const Slice& slice = slices[end];
      const double cost = slice.broken.empty() ? ns_of(slice, metric) : 0;
      if (cost <= 0) continue;
      if (slice.contender == contender) own += std::log(cost), ++owns;
      if (slice.contender < instances) baseline += std::log(cost), ++baselines;
    }
    if (owns > 0 && baselines > 0) {
      all.ratios.push_back(own / owns - baseline / baselines);
      all.at_s.push_back(slices[begin].at_s);
    }
    begin = end;
  }
  return all;
}

void add(RigRecord& record, const Slice& slice) {
  ++record.slices;
  if (!slice.broken.empty()) {
    ++record.broken;
    if (record.reason.empty()) record.reason = slice.broken;
    return;
  }
  record.echoes += slice.echoes;
  record.bytes += slice.bytes;
  record.cpu_ns += slice.cpu_ns;
  for (std::size_t i = 0; i < record.calls.size(); ++i) record.calls[i] += slice.calls[i];
  for (std::size_t i = 0; i < record.call_ns.size(); ++i) record.call_ns[i] += slice.call_ns[i];
  record.clock_ns += slice.clock_ns;
  record.events += slice.events;
  record.elapsed_ns += static_cast<std::uint64_t>(slice.elapsed_ns);
  record.client_cpu_ns += static_cast<std::uint64_t>(slice.client_cpu_ns);
  record.opened += slice.opened;
  record.unsent += slice.unsent;
  record.delayed += slice.delayed;
  record.fairness += slice.fairness;
}

void add(RigRecord& record, const SliceTimes& times) {
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    record.latency_ns[i] = times.latency_ns.value_at_percentile(kPercentiles[i]);
  }
  record.first_echo_ns_p50 = times.first_echo_ns.value_at_percentile(50);
  record.first_echo_ns_p99 = times.first_echo_ns.value_at_percentile(99);
}

std::uint64_t growth(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

}  // namespace

/// Building may take three fifths of the time before the first look, and no more than that.
std::span<const Schedule::Part> Schedule::parts(std::span<const double> builds_s) const {
  static constexpr std::array kThreeLooks = {Part{0, 0.25, 4}, Part{1, 0.5, 2}, Part{2, 1, 2}};
  static constexpr std::array kTwoLooks = {Part{1, 0.5, 4}, Part{2, 1, 2}};
  static constexpr std::array kOneLook = {Part{2, 1, 4}};
  static constexpr std::array kTwoRigs = {Part{2, 1, 2}};
  constexpr double kMostBuilding = 0.6;
  if (builds_s.empty()) return kThreeLooks;
  const auto decisive = builds_s.first(std::min<std::size_t>(builds_s.size(), 2));
  const double four = 4 * std::ranges::min(decisive) / load_s_;
  if (four <= 0.25 * kMostBuilding) return kThreeLooks;
  if (four <= 0.5 * kMostBuilding) return kTwoLooks;
  if (four <= kMostBuilding) return kOneLook;
  return kTwoRigs;
}

std::uint64_t Schedule::rigs(std::span<const double> builds_s) const {
  std::uint64_t all = 0;
  for (const Part& part : parts(builds_s)) all += part.rigs;
  return all;
}

std::size_t Schedule::look_after(std::uint64_t rig, std::span<const double> builds_s) const {
  const std::span<const Part> all = parts(builds_s);
  for (const Part& part : all) {
    if (rig < part.rigs) return part.look;
    rig -= part.rigs;
  }
  return all.back().look;
}

bool Schedule::is_look(std::span<const double> builds_s) const {
  const std::uint64_t done = builds_s.size();
  return done > 0 &&
         (done >= rigs(builds_s) || look_after(done, builds_s) != look_after(done - 1, builds_s));
}

/// The rest of a part is shared out evenly to the rigs that it still needs. Each measures for as
/// long as it took to build at least, if that leaves the others the time to be built.
double Schedule::end_of_rig(std::span<const double> builds_s, double begun_s) const {
  const double build_s = builds_s.back();
  const auto later = static_cast<double>(rigs(builds_s) - builds_s.size());
  const double latest_s =
      std::max(load_s_ - later * kBuildReserve * build_s, begun_s + kBuildReserve * build_s);
  std::uint64_t before = builds_s.size() - 1;
  for (const Part& part : parts(builds_s)) {
    if (before >= part.rigs) {
      before -= part.rigs;
      continue;
    }
    const double share_s = (part.end * load_s_ - begun_s) / static_cast<double>(part.rigs - before);
    return std::min({load_s_, latest_s, begun_s + std::max(share_s, 2 * build_s)});
  }
  return load_s_;
}

void LoadRun::add_windows(std::span<RigRecord> records, std::span<const Slice> windows) const {
  const std::size_t instances = plan_.baseline_instances();
  for (const Slice& window : windows) {
    RigRecord& record =
        records[window.contender < instances ? 0 : window.contender - instances + 1];
    if (!window.broken.empty()) {
      ++record.broken;
      if (record.reason.empty()) record.reason = window.broken;
      continue;
    }
    record.window_events += window.events;
    record.window_waits += window.calls[static_cast<std::size_t>(Call::wait)];
  }
}

LoadRun::LoadRun(const SlicedPlan& plan, std::size_t load, double seconds,
                 std::vector<RigRecord>& records)
    : plan_(plan), load_(load), seconds_(seconds), records_(records), schedule_(seconds) {
  for (const RigRecord& record : records) {
    if (!is_mine(record) || !record.is_baseline()) continue;
    builds_s_.push_back(record.build_s);
    spent_s_ += record.seconds;
  }
  choose_contenders();
}

bool LoadRun::is_mine(const RigRecord& record) const { return is_of(record, plan_.loads[load_]); }

/// Which look a rig leads to is certain only when the second one is built.
void LoadRun::label_looks() {
  for (RigRecord& record : records_) {
    if (is_mine(record)) record.look = schedule_.look_after(record.rig, builds_s_);
  }
}

/// Chooses all available contenders before the first rig. After a look it chooses those that are
/// not settled, the baseline and the self-check.
void LoadRun::choose_contenders() {
  const PlannedLoad& load = plan_.loads[load_];
  const bool looked = schedule_.is_look(builds_s_);
  if (!looked && !taking_part_.empty()) return;
  const Answer answer = answer_of(plan_, records_);
  taking_part_.clear();
  for (std::size_t i = 0; i < plan_.contenders.size(); ++i) {
    const PlannedContender& one = plan_.contenders[i];
    const AtLoad& at_load = answer.loads[load_].contenders[i];
    const bool has_failed = at_load.status == Status::failed && one.role != Role::baseline;
    if (!load.unavailable[i].empty() || has_failed) continue;
    // A rig before the last look may have left it out already.
    const bool settled = one.role == Role::compared && is_settled(at_load, load, plan_.precision);
    const bool left = one.role == Role::compared && !builds_s_.empty() && !looked &&
                      std::ranges::none_of(records_, [&](const RigRecord& record) {
                        return is_mine(record) && record.rig + 1 == builds_s_.size() &&
                               record.cell.backend == one.contender.name;
                      });
    if ((looked && settled) || left) continue;
    const std::uint64_t instances = one.role == Role::baseline ? plan_.baseline_instances() : 1;
    taking_part_.insert(taking_part_.end(), instances, one.contender);
  }
}

bool LoadRun::is_over() const {
  if (builds_s_.empty()) return false;
  if (builds_s_.size() >= schedule_.rigs(builds_s_)) return true;
  if (builds_s_.size() > 1 && spent_s_ >= seconds_) return true;
  // Without the self-check, which never leaves.
  const auto is_compared = [](const PlannedContender& one) { return one.role == Role::compared; };
  const auto takes_part = [&](const PlannedContender& one) {
    return is_compared(one) &&
           std::ranges::count(taking_part_, one.contender.name, &Contender::name) > 0;
  };
  return std::ranges::any_of(plan_.contenders, is_compared) &&
         std::ranges::none_of(plan_.contenders, takes_part);
}

/// One for each contender; the instances of the baseline are one.
std::vector<RigRecord> LoadRun::records_of(const Rig& rig, std::span<const Slice> slices,
                                           double build_s) const {
  const PlannedLoad& load = plan_.loads[load_];
  const std::size_t instances = plan_.baseline_instances();
  std::vector<RigRecord> records;
  SliceTimes times;
  for (std::size_t i = 0; i < taking_part_.size(); ++i) {
    if (i == 0 || i >= instances) {
      RigRecord& record = records.emplace_back();
      record.cell = load.cell;
      record.cell.backend = taking_part_[i].name;
      record.placement = load.placement;
      record.rig = builds_s_.size();
      record.look = schedule_.look_after(record.rig, builds_s_);
      record.build_s = build_s;
      record.baseline = plan_.baseline();
      const Rig::Memory& memory = rig.memory(i);
      record.resident_bytes = memory.with_connections.resident_bytes;
      record.grown_bytes =
          growth(memory.before.resident_bytes, memory.with_connections.resident_bytes);
      record.kernel_bytes =
          growth(memory.before.kernel_bytes, memory.with_connections.kernel_bytes);
      times.clear();
    }
    RigRecord& record = records.back();
    if (i >= instances) {
      for (const Metric metric : kMetrics) {
        if (!load.compares(metric)) continue;
        const LogRatios all = log_ratios_of(i, instances, metric, slices);
        record.summaries[metric] = summarize(all.ratios, all.at_s);
      }
    }
    for (const Slice& slice : slices) {
      if (slice.contender == i) add(record, slice);
    }
    times.merge(rig.times(i));
    add(record, times);
    if (!rig.failure(i).empty() && record.broken == 0) {  // it did not even start
      record.broken = 1;
      record.reason = rig.failure(i);
    }
  }
  for (RigRecord& record : records) {
    const std::uint64_t whole = record.slices - std::min(record.slices, record.broken);
    if (whole > 0) record.fairness /= static_cast<double>(whole);
  }
  return records;
}

/// With no instance left there is nothing to compare with.
void LoadRun::check_baseline(const Rig& rig, std::span<const Slice> slices) const {
  for (std::size_t i = 0; i < plan_.baseline_instances(); ++i) {
    if (rig.failure(i).empty()) return;
  }
  const bool has_worked =
      std::ranges::any_of(slices, [](const Slice& slice) { return slice.broken.empty(); });
  throw Failure(
      has_worked ? ExitCode::failed : ExitCode::unavailable,
      fmt::format("the baseline {} cannot be measured: {}", plan_.baseline(), rig.failure(0)));
}

void LoadRun::run_rig(Sides& sides, const std::function<void(const LoadProgress&)>& report,
                      std::vector<Slice>& slices) {
  const SteadyTime begin = SteadyClock::now();
  const PlannedLoad& load = plan_.loads[load_];
  const std::vector<int> processors = processors_of(load);
  const Surroundings surroundings(
      processors, load.placement == Placement::apart || plan_.allowed_processors.size() == 1);
  std::seed_seq seed{plan_.seed, std::uint64_t{load_}, std::uint64_t{builds_s_.size()}};
  std::mt19937 random(seed);
  std::vector<RigRecord> added;
  double build_s = 0;
  slices.clear();
  {
    Rig rig(sides, load, taking_part_,
            {.time_calls = plan_.time_calls, .is_isolated = plan_.is_isolated});
    // All connections must open and close in each slice.
    const SliceCommand command{load.slice_ns, std::max(plan_.slice_round_trips, load.cell.churn)};
    build_s = seconds_since(begin);
    std::vector<double> builds_s = builds_s_;
    builds_s.push_back(build_s);
    // In lock-step, as with a shared processor, a slice is as good as a window.
    std::vector<Slice> windows;
    const SteadyTime built = SteadyClock::now();
    if (builds_s_.empty() && load.placement == Placement::apart && load.slice_ns < kWindow_ns &&
        !plan_.is_isolated) {
      rig.run_block(0, {kWindow_ns, plan_.slice_round_trips}, random, windows);
      rig.forget_times();
    }
    const double end_s =
        schedule_.end_of_rig(builds_s, spent_s_) - ending_s_ + seconds_since(built);
    std::uint64_t block = 0;
    do {
      rig.run_block(block++, command, random, slices);
      check_baseline(rig, slices);
      const double spent_s = spent_s_ + seconds_since(begin);
      report({.load = load_,
              .share = std::min(1.0, spent_s / seconds_),
              .left_s = std::max(0.0, seconds_ - spent_s),
              .so_far = [&] {
                std::vector<RigRecord> so_far = records_;
                for (RigRecord& record : records_of(rig, slices, build_s)) {
                  so_far.push_back(std::move(record));
                }
                return answer_of(plan_, so_far);
              }});
    } while (spent_s_ + seconds_since(begin) < end_s);
    added = records_of(rig, slices, build_s);
    add_windows(added, windows);
    if (added.front().echoes == 0) {
      throw Failure(ExitCode::failed, fmt::format("no slice of the baseline {} counts: {}",
                                                  plan_.baseline(), added.front().reason));
    }
    ending_s_ = seconds_since(begin);
  }
  const double whole_s = seconds_since(begin);
  ending_s_ = whole_s - ending_s_;
  for (RigRecord& record : added) {
    record.seconds = whole_s;
    if (record.is_baseline()) surroundings.fill_in(record);
    records_.push_back(std::move(record));
  }
  builds_s_.push_back(build_s);
  spent_s_ += whole_s;
  label_looks();
  choose_contenders();
}

}  // namespace muxlab
