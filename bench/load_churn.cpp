#include "bench/load_churn.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "bench/load_timeline.hpp"

namespace muxlab {
namespace {

/// Ports come out of TIME_WAIT after a second or a minute, and each try may search through all.
constexpr std::int64_t kShortestPause_ns = 1'000'000;
constexpr std::int64_t kLongestPause_ns = 64'000'000;

}  // namespace

void Churn::open(std::size_t index) {
  if (waiting_.empty() && try_to_open(index)) return;
  waiting_.push_back(index);
  LoadTally& tally = connections_.tally();
  ++(last_error_ == EAGAIN ? tally.without_backlog : tally.without_port);
}

void Churn::open_those_that_wait() {
  if (waiting_.empty() || monotonic_ns() < retry_at_ns_) return;
  while (!waiting_.empty() && try_to_open(waiting_.front())) waiting_.pop_front();
}

/// False when there is none to be had at the moment.
bool Churn::try_to_open(std::size_t index) {
  Dialled dialled = dial(target_, sources_);
  if (dialled.error == EADDRNOTAVAIL || dialled.error == EAGAIN) {
    sources_.restart();
    last_error_ = dialled.error;
    pause_ns_ = std::clamp(2 * pause_ns_, kShortestPause_ns, kLongestPause_ns);
    retry_at_ns_ = monotonic_ns() + pause_ns_;
    return false;
  }
  pause_ns_ = 0;
  if (dialled.error == 0) {
    connections_.open(index, std::move(dialled.fd), size_bytes_);
  } else {
    connections_.fail_to_open(index, std::generic_category().message(dialled.error));
  }
  return true;
}

}  // namespace muxlab
