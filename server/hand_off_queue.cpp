#include "server/hand_off_queue.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <array>
#include <cstdint>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"

namespace muxlab {

HandOffQueue::HandOffQueue(Notify notify, Admission& admission) : admission_(admission) {
  if (notify == Notify::eventfd) {
    receiver_.reset(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
    return;
  }
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), "pipe2");
  receiver_.reset(ends[0]);
  sender_.reset(ends[1]);
}

void HandOffQueue::push(UniqueFd socket) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(socket));
  if (waiting_.size() == 1) notify(sender_ ? sender_.get() : receiver_.get());
}

Taken HandOffQueue::take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    clear();  // under the lock: a push after this finds the queue empty and wakes again
    return {};
  }
  Taken first = std::move(waiting_.front());
  waiting_.pop_front();
  return first;
}

void HandOffQueue::clear() {
  std::array<std::byte, 64> woken{};
  static_cast<void>(::read(receiver_.get(), woken.data(), woken.size()));
}

}  // namespace muxlab
