#include "backends/half_sync.hpp"

#include <sys/eventfd.h>

#include <array>
#include <new>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "backends/take_some.hpp"

namespace muxlab {

HalfSync::HalfSync(std::unique_ptr<OneShotPoller> poller, Worker waiter)
    : poller_(std::move(poller)),
      waiter_(waiter),
      workers_rearm_(waiter.options.rearm == Rearm::worker),
      idle_(waiter.options.idle_timeout),
      handed_back_flag_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {}

void HalfSync::wait_for_connections() {
  try {
    watch_what_is_not_a_client();
    while (turn()) {
    }
  } catch (...) {
    end_requests();
    throw;
  }
  end_requests();
  {
    std::unique_lock lock(requests_mutex_);
    nobody_serves_.wait(lock, [this] { return serving_ == 0; });
  }
  for (const auto& client : clients_) {
    if (client && client->connection) close(*client);
  }
}

void HalfSync::watch_what_is_not_a_client() {
  poller_->add(waiter_.stop, Interest::read);
  poller_->add(handed_back_flag_.get(), Interest::read);
  poller_->add_exclusive(waiter_.source.fd());
  idle_.begin();
  if (idle_.is_on()) poller_->add(idle_.fd(), Interest::read);
}

void HalfSync::end_requests() {
  const std::lock_guard lock(requests_mutex_);
  over_ = true;
  requests_ = {};
  requested_.notify_all();
}

void HalfSync::serve(UniqueFd& socket) {
  const int fd = socket.get();
  std::unique_ptr<Client>& client = clients_[fd];
  if (client && client->connection) forget_closed(*client);
  if (!client) client = std::make_unique<Client>();
  idle_.touch(fd);
  poller_->add_once(fd, Interest::read);
  client->connection = EchoConnection(std::move(socket));
  client->next = Next::read;
  client->draining = false;
  client->busy = false;
}

/// Forgets a connection that was closed without this loop: a new socket has its number. While a
/// serving thread owns it, refuses the new socket instead; that thread will see the error.
void HalfSync::forget_closed(Client& client) {
  if (client.busy.exchange(true)) throw std::bad_alloc();
  const std::lock_guard armed(client.rearming);
  poller_->remove(client.connection.fd());
  client.connection.abandon();
  waiter_.close_done();
}

void HalfSync::forget(int fd) { idle_.remove(fd); }

/// Waits once. Returns false at the end.
bool HalfSync::turn() {
  const auto ready = poller_->wait();
  idle_.note_time();
  bool idle_timer_fired = false;
  for (const int fd : ready) {
    if (fd == waiter_.stop) {
      begin_drain();
    } else if (fd == handed_back_flag_.get()) {
      take_back();
    } else if (fd == waiter_.source.fd()) {
      take_some_and_wait(*poller_, waiter_, *this);
    } else if (fd == idle_.fd()) {
      idle_timer_fired = true;
    } else if (fd == drain_deadline_.fd()) {
      return false;
    } else if (auto* client = clients_.find(fd);
               client && *client && !(*client)->busy.exchange(true)) {
      idle_.touch(fd);
      request(**client);
    }
  }
  if (idle_timer_fired) close_idle_connections();
  return !draining_ || waiter_.open() > 0;
}

/// Queues `client`. Waits while the queue is full and a thread serves, which makes room. If no
/// thread serves any more, one has failed and the server stops.
void HalfSync::request(Client& client) {
  std::unique_lock lock(requests_mutex_);
  has_room_.wait(lock, [this] { return requests_.size() < kQueueCapacity || serving_ == 0; });
  requests_.push(client);
  lock.unlock();
  requested_.notify_one();
}

void HalfSync::take_back() {
  std::uint64_t count = 0;
  static_cast<void>(::read(handed_back_flag_.get(), &count, sizeof count));
  ClientQueue taken;
  {
    const std::lock_guard lock(handed_back_mutex_);
    taken = std::exchange(handed_back_, {});
  }
  while (Client* const client = taken.pop()) go_on(*client);
}

/// Continues with a client that the waiting thread owns.
void HalfSync::go_on(Client& client) {
  if (client.next == Next::over) return close(client);
  if (draining_ && !client.draining) {
    client.draining = true;
    client.connection.begin_drain();
    return request(client);
  }
  if (client.next == Next::yield) return request(client);
  client.busy = false;
  if (!try_rearm(client.connection.fd(), client.connection.interest()) &&
      !client.busy.exchange(true))
    close(client);
}

/// Returns false if the mechanism has no room for it, or its descriptor is closed.
bool HalfSync::try_rearm(int fd, Interest interest) {
  try {
    poller_->rearm(fd, interest);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void HalfSync::close(Client& client) {
  const std::lock_guard armed(client.rearming);
  const int fd = client.connection.fd();
  idle_.remove(fd);
  poller_->remove(fd);
  client.connection = EchoConnection();
  waiter_.close_done();
}

void HalfSync::close_idle_connections() {
  const auto close_unless_busy = [this](int fd) {
    Client& client = *clients_[fd];
    if (client.busy.exchange(true)) return idle_.touch(fd);
    close(client);
  };
  if (!idle_.close_due(close_unless_busy)) poller_->modify(idle_.fd(), Interest::read);
}

void HalfSync::begin_drain() {
  poller_->remove(waiter_.stop);
  poller_->remove(waiter_.source.fd());  // first: a connection after the last take is reset
  while (take_some(waiter_, *this)) {
  }
  waiter_.source.close();
  draining_ = true;  // a serving thread sees this, or its client is found free below
  drain_deadline_.fire_after(waiter_.options.drain);
  poller_->add(drain_deadline_.fd(), Interest::read);
  for (const auto& client : clients_) {
    if (!client || client->busy.exchange(true)) continue;  // the busy ones follow when handed back
    go_on(*client);
  }
}

/// Counts the calling thread as serving during its lifetime.
class HalfSync::Serving {
 public:
  explicit Serving(HalfSync& loop) : loop_(loop) {
    const std::lock_guard lock(loop_.requests_mutex_);
    ++loop_.serving_;
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    const std::lock_guard lock(loop_.requests_mutex_);
    if (--loop_.serving_ > 0) return;
    loop_.nobody_serves_.notify_all();
    loop_.has_room_.notify_all();
  }

 private:
  HalfSync& loop_;
};

void HalfSync::serve_requests(WorkerStats& stats) {
  const Serving serving(*this);
  std::array<std::byte, kBufferSize> scratch;
  while (Client* const client = next_request()) {
    client->next = client->connection.advance(scratch, poller_->trigger(), stats);
    if (!workers_rearm_ || !rearm(*client)) hand_back(*client);
  }
}

/// Returns the serving thread's next client; null at the end.
HalfSync::Client* HalfSync::next_request() {
  std::unique_lock lock(requests_mutex_);
  requested_.wait(lock, [this] { return over_ || requests_.size() > 0; });
  Client* const client = requests_.pop();
  lock.unlock();
  if (client != nullptr) has_room_.notify_one();
  return client;
}

/// Re-arms a client on its serving thread. Returns false if the waiting thread must see it.
bool HalfSync::rearm(Client& client) {
  if (client.next == Next::over) return false;
  const std::lock_guard not_to_be_closed(client.rearming);
  const int fd = client.connection.fd();
  const Interest interest = client.connection.interest();
  client.busy = false;  // from here on the waiting thread may own it
  if (draining_) return client.busy.exchange(true);
  if (try_rearm(fd, interest) || client.busy.exchange(true)) return true;
  client.next = Next::over;  // owned again: close it
  return false;
}

void HalfSync::hand_back(Client& client) {
  const std::lock_guard lock(handed_back_mutex_);
  handed_back_.push(client);
  if (handed_back_.size() == 1) notify(handed_back_flag_.get());  // else it is readable already
}

}  // namespace muxlab
