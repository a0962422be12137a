#include "backends/connection_thread.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <utility>

#include "backends/counting/counted_calls.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab {
namespace {

/// The stack must hold the receive buffer and a signal frame, which can take 11 kB.
constexpr std::size_t kStackSize = 8 * kBufferSize;

/// Returns true if the call was only interrupted, or would have blocked.
bool goes_on_after(int error) { return error == EINTR || error == EAGAIN; }

/// Limits how long later receives wait; zero means for ever.
void limit_receives(int fd, timeval limit) {
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

}  // namespace

FinishedThreads::FinishedThreads()
    : flag_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {}

void FinishedThreads::push(ConnectionThread& done) {
  ConnectionThread* before = newest_.load();
  do {
    done.next = before;
  } while (!newest_.compare_exchange_weak(before, &done));
  if (before == nullptr) notify(flag_.get());
}

/// Clears the eventfd first. A push in between sets it again, which costs one spurious wake-up.
ConnectionThread* FinishedThreads::take() {
  std::uint64_t count = 0;
  static_cast<void>(::read(flag_.get(), &count, sizeof count));
  return newest_.exchange(nullptr);
}

SmallThreads::SmallThreads() {
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) {};  // without SA_RESTART, so that calls return
  checked(::sigaction(kInterrupt, &interrupt, nullptr), "sigaction");
  ::pthread_attr_init(&attributes_);
  ::pthread_attr_setstacksize(&attributes_, kStackSize);
  sigset_t blocked;
  ::sigfillset(&blocked);
  ::sigdelset(&blocked, kInterrupt);
  const int error = ::pthread_attr_setsigmask_np(&attributes_, &blocked);
  if (error != 0) {
    ::pthread_attr_destroy(&attributes_);
    throw std::system_error(error, std::system_category(), "pthread_attr_setsigmask_np");
  }
}

SmallThreads::~SmallThreads() { ::pthread_attr_destroy(&attributes_); }

int SmallThreads::start(pthread_t& thread, void* (*body)(void*), void* argument) const {
  return ::pthread_create(&thread, &attributes_, body, argument);
}

int ConnectionThread::start(UniqueFd socket) {
  // Makes it blocking: of its flags only O_NONBLOCK can be set.
  if (::fcntl(socket.get(), F_SETFL, 0) < 0) return errno;
  draining_ = false;
  note_activity();
  socket_ = std::move(socket);
  const int error = threads_.start(thread_, run, this);
  if (error != 0) socket_.reset();
  return error;
}

void* ConnectionThread::run(void* self) {
  auto& connection = *static_cast<ConnectionThread*>(self);
  const CountedCalls counted(connection.stats_);
  ++connection.stats_.accepted;  // here, so that it is counted before its first echo
  connection.serve();
  connection.finished_.push(connection);
  return nullptr;
}

void ConnectionThread::serve() {
  std::array<std::byte, kBufferSize> buffer;
  while (!draining_.load(std::memory_order_acquire)) {
    const ssize_t received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (received > 0) {
      if (!echo(std::span(buffer).first(static_cast<std::size_t>(received)))) return;
    } else if (received == 0 || !goes_on_after(errno)) {
      return;
    }
  }
  if (!drain(buffer)) return;
  ::shutdown(socket_.get(), SHUT_WR);
  limit_receives(socket_.get(), {});
  ssize_t received = 0;
  do {
    received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (received > 0) note_activity();
  } while (received > 0 || (received < 0 && goes_on_after(errno)));
}

/// Echoes available input without waiting for more. Returns false when the connection is over.
bool ConnectionThread::drain(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t received = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return received < 0 && errno == EAGAIN;
    if (!echo(buffer.first(static_cast<std::size_t>(received)))) return false;
  }
}

/// Sends all of `received`. Returns false when the connection is over.
bool ConnectionThread::echo(std::span<const std::byte> received) {
  stats_.bytes_in.add(received.size());
  while (!received.empty()) {
    const ssize_t sent = ::send(socket_.get(), received.data(), received.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      stats_.bytes_out.add(static_cast<std::uint64_t>(sent));
      received = received.subspan(static_cast<std::size_t>(sent));
      note_activity();
    } else if (!goes_on_after(errno)) {
      return false;
    }
  }
  ++stats_.echoes;
  return true;
}

void ConnectionThread::note_activity() {
  if (notes_time_) last_activity_.store(TimerFd::now().count(), std::memory_order_relaxed);
}

/// Treats a client that still receives as active, as the thread would.
bool ConnectionThread::is_idle(Duration now, Duration timeout) {
  const Duration active(last_activity_.load(std::memory_order_relaxed));
  if (now - active < timeout) return false;
  if (active != looked_at_) progress_ = {};  // the thread has moved something since
  if (!progress_.goes_on(socket_.get())) return true;
  looked_at_ = now;
  last_activity_.store(now.count(), std::memory_order_relaxed);
  return false;
}

/// Interrupts a receive that waits for data. A receive that begins between the check of `draining_`
/// and the interruption times out. The limit comes first, because a draining thread lifts it.
void ConnectionThread::begin_drain() {
  limit_receives(socket_.get(), {.tv_sec = 0, .tv_usec = 1});
  draining_.store(true, std::memory_order_release);
  SmallThreads::interrupt(thread_);
}

void ConnectionThread::cut() { ::shutdown(socket_.get(), SHUT_RDWR); }

void ConnectionThread::join() {
  ::pthread_join(thread_, nullptr);
  socket_.reset();
}

}  // namespace muxlab
