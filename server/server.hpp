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

/// Returns the address in `options`, for resolve().
inline ListenAddress address_of(const ServeOptions& options) {
  return {.host = options.host, .port = options.port, .unix_path = options.unix_path};
}

/// Runs an echo server: listeners, threads, and a backend that serves on each thread.
class Server {
 public:
  /// Starts to accept on the first of `addresses`, from resolve(), that works. Throws Failure when
  /// `options` contradict each other, the address is busy, or backend or descriptors are missing.
  Server(const Backend& backend, const ServeOptions& options, std::vector<ListenAddress> addresses);
  Server(const Backend& backend, const ServeOptions& options)
      : Server(backend, options, resolve(address_of(options))) {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  ///< as stop(), but throws nothing

  /// Returns the address for clients: "127.0.0.1:4711" or "unix:/tmp/echo".
  [[nodiscard]] std::string address() const { return show(address_); }
  [[nodiscard]] std::uint16_t port() const { return address_.port; }

  /// Returns a descriptor, readable once all threads have ended or one has failed.
  [[nodiscard]] int ended() const { return ended_.get(); }

  /// Returns the counters per thread, a thread that only accepts or waits last. Thread: any.
  [[nodiscard]] std::span<const WorkerStats> stats() const { return stats_; }

  /// Asks the threads to stop, and returns at once. They accept pending connections, echo pending
  /// data, half-close, and wait up to options.drain for the clients to close. Removes the name of a
  /// unix socket, so that another server can bind it.
  void begin_stop();

  /// Calls begin_stop() and waits for the threads to end. Throws the first failure of a thread.
  void stop();

  /// Returns the most connections that it serves at once.
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
  std::vector<ListenAddress> addresses_;  ///< to try; once listening, address_ alone
  ListenAddress address_;
  std::optional<SocketName> socket_name_;  ///< of a listening unix socket
  UniqueFd stop_accepting_;                ///< ends the accepting thread, which then raises stop_
  UniqueFd stop_;
  UniqueFd ended_;
  CallObserver observer_;  ///< used only where calls are timed
  CounterPool counters_;
  std::span<WorkerStats> stats_;
  std::vector<std::unique_ptr<ConnectionSource>> sources_;
  std::unique_ptr<HalfSync> half_sync_;  ///< only for Threading::half_sync
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> running_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

/// Returns how many descriptors a server needs besides its connections, at most. Per thread:
/// listener, queue, timers, the backend's own. Per process: signals, flags and standard streams.
inline constexpr std::uint64_t kDescriptorsPerThread = 7;
inline constexpr std::uint64_t kDescriptorsPerProcess = 14;
std::uint64_t descriptors_beside_connections(std::uint64_t threads);

/// Returns how many connections a server with `threads` threads can serve, bounded by the
/// descriptor limit and by the backend.
std::uint64_t most_connections(const Availability& available, std::uint64_t descriptor_limit,
                               std::uint64_t threads);

/// Returns why the backend serves fewer than the descriptor limit allows; empty if it does not.
std::string own_bound_of(const Availability& available, std::uint64_t descriptor_limit);

/// Returns backend.probe(), or its std::system_error as the reason why the backend does not work.
Availability probe_or_reason(const Backend& backend);

}  // namespace muxlab
