#include "server/listener_source.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace muxlab {

ListenerSource::ListenerSource(UniqueFd listener, Admission& admission, WorkerStats& stats)
    : listener_(std::move(listener)), admission_(admission), stats_(stats) {}

Taken ListenerSource::take() {
  if (!listener_ || (paused_ && still_paused())) return {};
  if (!early_.empty()) return take_early_one();
  for (int tries = 0; tries < kTakesPerTurn; ++tries) {
    // With WhenFull::wait, take the place before accept4(). To refuse, accept first.
    const bool waits = admission_.when_full() == WhenFull::wait;
    bool has_place = waits && admission_.enter();
    if (waits && !has_place) {
      pause();
      return {};
    }
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const int error = errno;
    if (socket) {
      has_place = has_place || admission_.enter();
      if (has_place && socket.get() <= admission_.max_descriptor()) return socket;
      ++stats_.refused;
    }
    if (has_place) admission_.leave();
    if (!socket && !goes_on_after(error)) return {};
  }
  pause();  // only refusals and errors: let served connections have their turn
  return {};
}

Taken ListenerSource::take_early_one() {
  if (!admission_.enter()) {
    pause();
    return {};
  }
  UniqueFd socket = std::move(early_.front());
  early_.pop_front();
  return socket;
}

Taken ListenerSource::accept_result(int result) {
  if (result < 0) {
    goes_on_after(-result);
    return {};
  }
  UniqueFd socket(result);
  if (early_.empty() && admission_.enter()) return socket;
  if (admission_.when_full() == WhenFull::refuse) {
    ++stats_.refused;
    return {};
  }
  try {
    early_.push_back(std::move(socket));
  } catch (const std::bad_alloc&) {
    ++stats_.refused;
  }
  pause();
  return {};
}

void ListenerSource::close() {
  listener_.reset();
  stats_.refused.add(early_.size());
  early_.clear();
}

bool ListenerSource::goes_on_after(int error) {
  switch (error) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      admission_.report_shortage(error);
      pause();
      return false;
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
      throw std::system_error(error, std::system_category(), "accept4");
    default:  // accept(2) reports errors of the new connection; the next may be fine
      return true;
  }
}

void ListenerSource::pause() {
  timer_.fire_after(kPause);
  paused_ = true;
}

bool ListenerSource::still_paused() { return paused_ = !timer_.clear(); }

}  // namespace muxlab
