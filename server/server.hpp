#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "backends/backend.hpp"
#include "backends/counting/shared_counters.hpp"
#include "backends/half_sync.hpp"
#include "server/admission.hpp"
#include "server/listener.hpp"

namespace muxlab {

/// What `options` ask for, to be resolved.
inline ListenAddress address_of(const ServeOptions& options) {
  return {.host = options.host, .port = options.port, .unix_path = options.unix_path};
}

/// An echo server: listeners, threads, and a backend that serves on each of them.
class Server {
 public:
  /// Starts to accept on the first of `addresses` that works, which resolve() gives. Throws Failure
  /// when `options` contradict each other, the address is busy, or the backend or the descriptors
  /// it needs are not available.
  Server(const Backend& backend, const ServeOptions& options, std::vector<ListenAddress> addresses);
  Server(const Backend& backend, const ServeOptions& options)
      : Server(backend, options, resolve(address_of(options))) {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  ///< as stop(), without errors

  /// What clients connect to: "127.0.0.1:4711" or "unix:/tmp/echo".
  [[nodiscard]] std::string address() const { return show(address_); }
  [[nodiscard]] std::uint16_t port() const { return address_.port; }

  /// Readable once all threads have ended, or one of them has failed.
  [[nodiscard]] int ended() const { return ended_.get(); }

  /// Per thread, the one that only accepts or waits last; may be read at any time from any thread.
  [[nodiscard]] std::span<const WorkerStats> stats() const { return stats_; }

  /// Tells the threads to stop: they take and echo what has come, end their side of each
  /// connection, and wait for the clients to end theirs, for options.drain at most. Removes the
  /// name of a unix socket, so that another server can have it meanwhile. Returns at once.
  void begin_stop();

  /// begin_stop(), and waits for the threads to end. Throws what a thread failed with.
  void stop();

  /// How many connections are served at most.
  [[nodiscard]] std::uint64_t max_connections() const { return max_connections_; }

 private:
  template <typename Body>
  void start_thread(const std::string& name, WorkerStats& stats, Body body);
  void start_worker(std::size_t index);
  void start_single();
  void start_reuseport();
  void start_shared();
  void start_acceptor();
  void start_half_sync();
  UniqueFd listen(bool shared_port);
  [[nodiscard]] Worker worker(ConnectionSource& source, WorkerStats& stats);
  std::unique_ptr<ConnectionSource> listener_source(UniqueFd listener, WorkerStats& stats);
  void end_threads();

  const Backend& backend_;
  ServeOptions options_;
  Availability availability_;
  std::uint64_t max_connections_;
  Admission admission_;
  std::vector<ListenAddress> addresses_;  ///< to try; once it listens, address_ alone
  ListenAddress address_;
  std::optional<SocketName> socket_name_;  ///< of a unix socket that listens
  UniqueFd stop_accepting_;  ///< for the accepting thread; it raises stop_ when it is done
  UniqueFd stop_;
  UniqueFd ended_;
  CallObserver observer_;  ///< only where calls are timed
  CounterPool counters_;
  std::span<WorkerStats> stats_;
  std::vector<std::unique_ptr<ConnectionSource>> sources_;
  std::unique_ptr<HalfSync> half_sync_;  ///< only on that model
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> running_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

/// How many descriptors a server needs beside its connections, at most: a listener, a queue, timers
/// and what the backend waits with for each thread; signals, flags and standard streams for all.
inline constexpr std::uint64_t kDescriptorsPerThread = 7;
inline constexpr std::uint64_t kDescriptorsPerProcess = 14;
std::uint64_t descriptors_beside_connections(std::uint64_t threads);

/// How many connections a server with so many threads can serve at most, bounded by the descriptor
/// limit or by the backend.
std::uint64_t most_connections(const Availability& available, std::uint64_t descriptor_limit,
                               std::uint64_t threads);

/// Why that is less than with any other backend; empty: it is not.
std::string own_bound_of(const Availability& available, std::uint64_t descriptor_limit);

/// What backend.probe() found; a backend for which not even a descriptor is left does not work.
Availability probe_or_reason(const Backend& backend);

}  // namespace muxlab
