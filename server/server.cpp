#include "server/server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

#include "backends/counting/counted_calls.hpp"
#include "backends/parts/descriptor_limit.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "server/hand_off_queue.hpp"
#include "server/listener_source.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

/// Blocks all signals in the threads that start during its lifetime, because threads inherit the
/// signal mask. The main thread handles signals. SIGPIPE, which libevent's writev(2) can raise,
/// stays blocked.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

UniqueFd make_eventfd() {
  return UniqueFd(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
}

/// Makes the eventfd readable for good, because no thread reads it.
void raise(const UniqueFd& flag) { notify(flag.get()); }

void check(const Backend& backend, const ServeOptions& options) {
  raise_descriptor_limit();  // before the probe, which may need a high descriptor
  if (options.threading == Threading::single && options.threads != 1) {
    throw Failure(
        ExitCode::usage,
        fmt::format("--threading single has one thread, not {}: use reuseport or acceptor",
                    options.threads));
  }
  if (const auto reason = why_not(backend, options.threading); !reason.empty()) {
    throw Failure(ExitCode::usage, fmt::format("--threading {} is not for {}: {}",
                                               name_of(options.threading), backend.name, reason));
  }
  if (options.rearm == Rearm::worker) {
    if (const auto reason = why_no_worker_rearms(backend, options.threading); !reason.empty()) {
      throw Failure(ExitCode::usage,
                    fmt::format("--rearm worker is not for {}: {}", backend.name, reason));
    }
  }
  if (options.threading == Threading::reuseport && options.unix_path) {
    throw Failure(ExitCode::usage,
                  "--threading reuseport is for TCP, not for --unix: use acceptor");
  }
}

/// Returns true when another thread accepts or waits; its counters come last.
bool has_thread_beside_workers(Threading threading) {
  return threading == Threading::acceptor || threading == Threading::half_sync;
}

/// Returns one counter set per thread, contiguous.
std::span<WorkerStats> take_counters(CounterPool& pool, const ServeOptions& options) {
  const std::uint64_t count =
      options.threads + (has_thread_beside_workers(options.threading) ? 1 : 0);
  WorkerStats& first = pool.take();
  for (std::uint64_t i = 1; i < count; ++i) pool.take();
  return {&first, count};
}

/// Returns options.max_connections, or without it as many as descriptors and backend allow.
std::uint64_t places(const ServeOptions& options, const Availability& available) {
  const std::uint64_t reserved = descriptors_beside_connections(options.threads);
  const std::uint64_t wanted = std::max<std::uint64_t>(options.max_connections, 1);
  const std::uint64_t limit = raise_descriptor_limit();
  if (limit < reserved + wanted) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("the limit of {} descriptors is too low for --threads {} and {} "
                              "connections: raise it to {} or more with ulimit -n",
                              limit, options.threads, wanted, reserved + wanted));
  }
  const std::uint64_t usable = most_connections(available, limit, options.threads);
  if (usable < wanted) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("{} connections with --threads {} are too many: {}, which leaves {}",
                              wanted, options.threads, available.bound_reason, usable));
  }
  return options.max_connections > 0 ? options.max_connections : usable;
}

Availability probe(const Backend& backend) {
  Availability found = backend.probe();
  if (found.works) return found;
  throw Failure(ExitCode::unavailable,
                fmt::format("backend {} does not work here: {}{}{}", backend.name, found.reason,
                            found.fix.empty() ? "" : "; fix: ", found.fix));
}

bool hand_out_one(std::span<HandOffQueue* const> queues, std::size_t& turn,
                  ConnectionSource& listener, WorkerStats& stats) {
  Taken socket = listener.take();
  if (!socket) return false;
  try {
    queues[turn]->push(std::move(*socket));
    turn = (turn + 1) % queues.size();
  } catch (const std::bad_alloc&) {  // closes the socket
    ++stats.refused;
    listener.give_back();
  }
  return true;
}

/// Hands connections out round robin until `stop` is readable. Then hands out the rest of the
/// backlog.
void accept_for(std::span<HandOffQueue* const> queues, ConnectionSource& listener, int stop,
                WorkerStats& stats) {
  std::size_t turn = 0;
  for (;;) {
    std::array<pollfd, 2> waited{{{stop, POLLIN, 0}, {listener.fd(), POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) throw_errno("poll");
    while (hand_out_one(queues, turn, listener, stats)) {
    }
    if (waited[0].revents != 0) return listener.close();
  }
}

}  // namespace

std::uint64_t descriptors_beside_connections(std::uint64_t threads) {
  return kDescriptorsPerProcess + kDescriptorsPerThread * threads;
}

std::uint64_t most_connections(const Availability& available, std::uint64_t descriptor_limit,
                               std::uint64_t threads) {
  if (!available.works) return 0;
  const std::uint64_t usable =
      std::min(descriptor_limit, static_cast<std::uint64_t>(available.max_descriptor) + 1);
  const std::uint64_t reserved = descriptors_beside_connections(threads);
  return std::min(available.max_connections, usable > reserved ? usable - reserved : 0);
}

std::string own_bound_of(const Availability& available, std::uint64_t descriptor_limit) {
  const bool is_less =
      most_connections(available, descriptor_limit, 1) < most_connections({}, descriptor_limit, 1);
  return is_less ? available.bound_reason : "";
}

Availability probe_or_reason(const Backend& backend) try {
  return backend.probe();
} catch (const std::system_error& error) {
  return Availability::never(error);
}

Server::Server(const Backend& backend, const ServeOptions& options,
               std::vector<ListenAddress> addresses)
    : backend_(backend),
      options_(options),
      availability_((check(backend, options), probe(backend))),
      max_connections_(places(options, availability_)),
      admission_(max_connections_, availability_.max_descriptor, options.when_full),
      addresses_(std::move(addresses)),
      address_(addresses_.front()),
      stop_accepting_(make_eventfd()),
      stop_(make_eventfd()),
      ended_(make_eventfd()),
      counters_(options.counters),
      stats_(take_counters(counters_, options)) {
  if (options.time_calls) {
    observer_.clocks = CallClocks::measured();
    for (WorkerStats& stats : stats_) stats.observer = &observer_;
  }
  const BlockedSignals blocked;
  try {
    switch (options_.threading) {
      case Threading::single:
        start_single();
        break;
      case Threading::reuseport:
        start_reuseport();
        break;
      case Threading::shared:
        start_shared();
        break;
      case Threading::acceptor:
        start_acceptor();
        break;
      case Threading::half_sync:
        start_half_sync();
        break;
    }
  } catch (...) {
    end_threads();
    throw;
  }
}

Server::~Server() { end_threads(); }

void Server::begin_stop() {
  socket_name_.reset();
  raise(options_.threading == Threading::acceptor ? stop_accepting_ : stop_);
}

void Server::stop() {
  end_threads();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Server::end_threads() {
  begin_stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  half_sync_.reset();
  sources_.clear();
}

UniqueFd Server::listen(bool shared_port) {
  Listening listening = listen_on_first(addresses_, shared_port);
  address_ = listening.address;
  addresses_ = {address_};
  if (address_.unix_path) socket_name_.emplace(*address_.unix_path);
  return std::move(listening.socket);
}

std::unique_ptr<ConnectionSource> Server::listener_source(UniqueFd listener, WorkerStats& stats) {
  return std::make_unique<ListenerSource>(std::move(listener), admission_, stats);
}

void Server::start_single() {
  sources_.push_back(listener_source(listen(false), stats_[0]));
  start_worker(0);
}

void Server::start_reuseport() {
  // SO_REUSEPORT would join a server that listens there already. A listener without it fails.
  if (address_.port != 0) listen(false);
  for (WorkerStats& stats : stats_) sources_.push_back(listener_source(listen(true), stats));
  for (std::size_t i = 0; i < options_.threads; ++i) start_worker(i);
}

void Server::start_shared() {
  const UniqueFd listener = listen(false);
  for (WorkerStats& stats : stats_) {
    UniqueFd same(checked(::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0), "fcntl"));
    sources_.push_back(listener_source(std::move(same), stats));
  }
  for (std::size_t i = 0; i < options_.threads; ++i) start_worker(i);
}

void Server::start_acceptor() {
  std::vector<HandOffQueue*> queues;
  for (std::size_t i = 0; i < options_.threads; ++i) {
    auto queue = std::make_unique<HandOffQueue>(options_.notify, admission_);
    queues.push_back(queue.get());
    sources_.push_back(std::move(queue));
  }
  sources_.push_back(listener_source(listen(false), stats_.back()));
  start_thread("acceptor", stats_.back(), [this, queues, &listener = *sources_.back()] {
    accept_for(queues, listener, stop_accepting_.get(), stats_.back());
    raise(stop_);  // the queues hold every accepted connection: the workers can drain them
  });
  for (std::size_t i = 0; i < options_.threads; ++i) start_worker(i);
}

void Server::start_half_sync() {
  sources_.push_back(listener_source(listen(false), stats_.back()));
  half_sync_ =
      std::make_unique<HalfSync>(backend_.make_poller(), worker(*sources_[0], stats_.back()));
  try {
    for (std::size_t i = 0; i < options_.threads; ++i) {
      start_thread(fmt::format("worker-{}", i), stats_[i],
                   [this, i] { half_sync_->serve_requests(stats_[i]); });
    }
    start_thread("waiter", stats_.back(), [this] { half_sync_->wait_for_connections(); });
  } catch (...) {
    half_sync_->end_requests();
    throw;
  }
}

Worker Server::worker(ConnectionSource& source, WorkerStats& stats) {
  return {.source = source, .stop = stop_.get(), .options = options_, .stats = stats};
}

void Server::start_worker(std::size_t index) {
  start_thread(fmt::format("worker-{}", index), stats_[index], [this, index] {
    Worker lent = worker(*sources_[index], stats_[index]);
    backend_.serve(lent);
  });
}

template <typename Body>
void Server::start_thread(const std::string& name, WorkerStats& stats, Body body) {
  ++running_;
  threads_.emplace_back([this, name, &stats, body = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    const CountedCalls counted(stats);
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
      raise(ended_);
      raise(stop_accepting_);
      raise(stop_);  // normally the acceptor does, which may have failed
    }
    if (--running_ == 0) raise(ended_);
  });
}

}  // namespace muxlab
