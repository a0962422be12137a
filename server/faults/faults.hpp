#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/faults/fault_plan.hpp"
#include "server/testing/cells.hpp"
#include "server/testing/client.hpp"
#include "server/testing/server_process.hpp"

/// The fault suite: each case runs for every backend on every threading model, with a server
/// process of its own.
///
/// After each case the server must be alive, have its descriptors back, have closed all accepted
/// connections, and be idle. It must have logged no extra line and no sanitizer report, and end at
/// once on a signal.
namespace muxlab::faults {

using test::Cell;
using test::Client;
using test::eventually;
using test::random_bytes;

/// Maps memory that a server process shares. The shims find it by its path.
class SharedPlan {
 public:
  SharedPlan();
  SharedPlan(const SharedPlan&) = delete;
  SharedPlan& operator=(const SharedPlan&) = delete;
  ~SharedPlan();

  FaultPlan* operator->() const { return plan_; }
  SiteFaults& operator[](Site site) const { return (*plan_)[site]; }
  [[nodiscard]] std::string path() const;

 private:
  UniqueFd file_;
  FaultPlan* plan_;
};

class Faults : public testing::TestWithParam<Cell> {
 protected:
  /// Starts the server with more options, and waits until all its threads wait.
  void start(const std::vector<std::string>& more_options = {});

  /// Returns the cell's options as words.
  [[nodiscard]] std::vector<std::string> options() const;
  /// Returns the surroundings of a server: the shims and their plan.
  [[nodiscard]] test::Surroundings surroundings() const;

  [[nodiscard]] const Cell& cell() const { return GetParam(); }
  [[nodiscard]] Threading threading() const { return cell().options.threading; }
  /// Returns true for edge-triggered waiting. Half-sync re-arms after each turn, and the kernel
  /// then reports pending data.
  [[nodiscard]] bool waits_for_edges() const {
    const std::string_view name = cell().backend->name;
    const bool by_hand = name == "epoll-et" || name == "io-uring-poll";
    return (by_hand && threading() != Threading::half_sync) || name == "asio";
  }

  [[nodiscard]] bool has_thread_per_connection() const { return cell().backend->name == "threads"; }
  /// Limits `connections` under a sanitizer. ThreadSanitizer takes longer per thread the more there
  /// are, and aborts a program with more than 8,128.
  [[nodiscard]] int bearable(int connections) const;

  test::ServerProcess& server() { return *server_; }
  [[nodiscard]] Client connect(int receive_buffer = 0) const;
  /// Returns `count` connected clients that have sent one byte each, "?".
  [[nodiscard]] std::vector<Client> ask(int count) const;
  [[nodiscard]] bool serves() const { return connect().ping(); }
  /// Returns one of the server's counters now.
  std::uint64_t count(const std::string& key);

  /// Sends SIGTERM, and waits until the server refuses connections.
  void begin_stop();
  /// Sends `signal`; expects the server to end with `exit_code` within `patience`.
  void expect_end(int signal, int exit_code, std::chrono::milliseconds patience);
  /// Does the same, and returns how long it took.
  std::chrono::nanoseconds time_to_end(int signal, int exit_code);
  /// Returns true once the server uses at most `share` of a processor for 100 ms.
  bool settles_at(double share);
  /// Lines that libevent writes to stderr by itself, one per failed call.
  std::int64_t lines_of_libevent_ = 0;
  /// Allows the server one line per second on stderr. Otherwise it must be silent.
  void allow_a_log_line_per_second() { may_log_ = true; }

  void TearDown() override;

  SharedPlan plan_;
  bool with_allocation_faults_ = false;  ///< set before start()

 private:
  void expect_waiting_threads();
  void expect_idle_balance();
  void expect_quiet_log();
  double cpu_share(std::chrono::milliseconds duration);

  std::unique_ptr<test::ServerProcess> server_;
  std::size_t descriptors_ = 0;
  std::chrono::steady_clock::time_point started_at_;
  bool may_log_ = false;
};

/// Returns the cells of the whole suite.
const std::vector<Cell>& every_cell();

/// Returns true in the whole suite, false in the quick one: sets the number of repetitions.
bool whole_suite();
inline int repeat(int quick, int whole) { return whole_suite() ? whole : quick; }

/// Returns the share of each cell, so that all cells together do `total`.
inline int share_of(int total) { return total / static_cast<int>(every_cell().size()); }

/// Returns how much longer everything takes: more than 1 under a sanitizer.
int slowness();
inline std::chrono::milliseconds soon(int ms) { return std::chrono::milliseconds(ms) * slowness(); }

/// Returns the least of up to five measurements, or the first that is at most `bound`. The machine
/// may delay each of them, but not all.
template <typename Measure>
std::chrono::nanoseconds least(std::chrono::nanoseconds bound, Measure measure) {
  std::chrono::nanoseconds least = measure();
  for (int turn = 1; turn < 5 && least > bound && !testing::Test::HasFailure(); ++turn) {
    least = std::min<std::chrono::nanoseconds>(least, measure());
  }
  return least;
}

/// Stops a process during its lifetime, so that all events meanwhile arrive in one batch.
class Stopped {
 public:
  explicit Stopped(const test::ServerProcess& server);
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() { server_.signal(SIGCONT); }

 private:
  const test::ServerProcess& server_;
};

/// A receive buffer that fills soon, for clients that do not read. A smaller one would make the
/// kernel drop data and resend it after ever longer times.
inline constexpr int kSmallBuffer = 65536;

/// Sends until the kernel takes no more for 100 ms. Returns how many bytes of `data` it took.
std::size_t push_until_stuck(const Client& client, std::string_view data);

}  // namespace muxlab::faults
