#include "server/trace/log.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace muxlab::trace {
namespace {

thread_local std::size_t own_index = 0;  // of this thread in TraceLog::threads_

std::uint64_t read_ns(clockid_t clock) {
  timespec now{};
  if (::clock_gettime(clock, &now) != 0) return 0;  // the thread has ended
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// Other calls do not wait for another thread or a peer.
bool may_sleep(Call call) {
  return call == Call::wait || call == Call::read || call == Call::write;
}

}  // namespace

TraceLog::TraceLog() : strangers_(all_threads_.ids()) {}

std::uint64_t TraceLog::now_ns() const { return read_ns(CLOCK_MONOTONIC) - began_ns_; }

void TraceLog::name_descriptor(int fd, std::string name) {
  const std::lock_guard lock(mutex_);
  decoder_.names().give(fd, std::move(name));
}

void TraceLog::note_step(std::string actor, std::string step, const std::string& connects) {
  const std::lock_guard lock(mutex_);
  if (!connects.empty()) decoder_.names().client_connects(connects);
  events_.push_back({.kind = Event::Kind::step,
                     .at_ns = now_ns(),
                     .actor = std::move(actor),
                     .step = std::move(step)});
}

void TraceLog::note_waiting() {
  const std::lock_guard lock(mutex_);
  for (Thread& thread : threads_) {
    if (!thread.in_call || std::exchange(thread.known_to_wait, true)) continue;
    events_.push_back({.kind = Event::Kind::waits,
                       .at_ns = thread.began_ns,
                       .call = thread.call,
                       .began_ns = thread.began_ns});
  }
}

std::optional<std::vector<const SleepWatch*>> TraceLog::sleeps_of_threads_in_calls() {
  std::vector<const SleepWatch*> sleeps;
  for (const Thread& thread : threads_) {
    if (thread.over) continue;
    if (!thread.in_call || !may_sleep(thread.call.call)) return std::nullopt;
    sleeps.push_back(&thread.sleep);
  }
  return sleeps;
}

bool TraceLog::has_unknown_threads() const {
  return std::ranges::any_of(all_threads_.ids(), [this](pid_t id) {
    const bool is_ours = std::ranges::any_of(
        threads_, [id](const Thread& thread) { return thread.id == id && !thread.over; });
    return !is_ours && std::ranges::count(strangers_, id) == 0 && !is_kernel_thread(id);
  });
}

/// Reads /proc without the lock: a thread that waits for the lock sleeps too, after its call.
bool TraceLog::is_still() {
  std::unique_lock lock(mutex_);
  const std::uint64_t changes = changes_;
  const auto sleeps = sleeps_of_threads_in_calls();
  if (!sleeps || has_unknown_threads()) return false;
  lock.unlock();
  if (!std::ranges::all_of(*sleeps, &SleepWatch::is_asleep)) return false;
  lock.lock();
  return changes == changes_ && !has_unknown_threads();
}

bool TraceLog::has_threads() {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(threads_, [](const Thread& thread) { return !thread.over; });
}

std::uint64_t TraceLog::cpu_ns() {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const Thread& thread : threads_) {
    if (!thread.over) sum += read_ns(thread.cpu_clock);
  }
  return sum;
}

std::vector<Event> TraceLog::take_events() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

std::vector<std::pair<std::string, int>> TraceLog::descriptors() {
  const std::lock_guard lock(mutex_);
  return decoder_.names().all();
}

std::vector<pid_t> TraceLog::threads() {
  const std::lock_guard lock(mutex_);
  std::vector<pid_t> ids;
  ids.reserve(threads_.size());
  for (const Thread& thread : threads_) ids.push_back(thread.id);
  return ids;
}

void TraceLog::thread_begins() {
  Thread thread{.id = ::gettid(), .sleep = {}, .cpu_clock = CLOCK_THREAD_CPUTIME_ID};
  ::pthread_getcpuclockid(::pthread_self(), &thread.cpu_clock);
  const std::lock_guard lock(mutex_);
  ++changes_;
  if (threads_.empty()) began_ns_ = read_ns(CLOCK_MONOTONIC);
  own_index = threads_.size();
  threads_.push_back(std::move(thread));
}

void TraceLog::thread_ends() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  threads_[own_index].over = true;
}

void TraceLog::begins(const MadeCall& made) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  Thread& thread = threads_[own_index];
  thread.call = decoder_.begun(made);
  thread.call.thread = own_index;
  thread.in_call = true;
  thread.known_to_wait = false;
  thread.began_ns = now_ns();
}

void TraceLog::returned(const MadeCall& made, std::int64_t result, int error) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  Thread& thread = threads_[own_index];
  thread.in_call = false;
  Event event{.kind = Event::Kind::returned,
              .at_ns = now_ns(),
              .call = std::move(thread.call),
              .began_ns = thread.began_ns,
              .was_waiting = thread.known_to_wait};
  decoder_.returned(made, result, error, event.call);
  events_.push_back(std::move(event));
}

}  // namespace muxlab::trace
