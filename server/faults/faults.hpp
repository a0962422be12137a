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

/// The fault suite: each case is a test that runs for every backend on every threading model, with
/// a server process of its own.
///
/// Whatever a case does, the same has to hold at its end: the server is alive, has its descriptors
/// back, has closed what it accepted, is idle, has written no line too many and none of a
/// sanitizer, and ends at once when it is told to.
namespace muxlab::faults {

using test::Cell;
using test::Client;
using test::eventually;
using test::random_bytes;

/// A mapping that a server process shares; the shims find it by its path.
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
  /// Starts the server of the cell with more options, and waits until all its threads wait.
  void start(const std::vector<std::string>& more_options = {});

  /// The cell's options as words.
  [[nodiscard]] std::vector<std::string> options() const;
  /// What a server is started in: the shims and their plan.
  [[nodiscard]] test::Surroundings surroundings() const;

  [[nodiscard]] const Cell& cell() const { return GetParam(); }
  [[nodiscard]] Threading threading() const { return cell().options.threading; }
  /// Half-sync arms anew after each turn, which reports what is there.
  [[nodiscard]] bool waits_for_edges() const {
    const std::string_view name = cell().backend->name;
    const bool by_hand = name == "epoll-et" || name == "io-uring-poll";
    return (by_hand && threading() != Threading::half_sync) || name == "asio";
  }

  [[nodiscard]] bool has_thread_per_connection() const { return cell().backend->name == "threads"; }
  /// So many connections at once, or as many as a sanitizer bears: ThreadSanitizer takes the longer
  /// for a thread the more there are, and ends a program that has more than 8,128.
  [[nodiscard]] int bearable(int connections) const;

  test::ServerProcess& server() { return *server_; }
  [[nodiscard]] Client connect(int receive_buffer = 0) const;
  /// So many that have connected and sent one byte each, "?".
  [[nodiscard]] std::vector<Client> ask(int count) const;
  [[nodiscard]] bool serves() const { return connect().ping(); }
  /// One of the server's counters now.
  std::uint64_t count(const std::string& key);

  /// Sends SIGTERM, and waits until nobody is let in any more.
  void begin_stop();
  /// Sends `signal`; the server is expected to end with `exit_code` within `patience`.
  void expect_end(int signal, int exit_code, std::chrono::milliseconds patience);
  /// The same, and how long it took.
  std::chrono::nanoseconds time_to_end(int signal, int exit_code);
  /// True as soon as the server uses no more than `share` of one processor, for 100 ms.
  bool settles_at(double share);
  /// Lines that libevent writes to stderr by itself, one for each call that fails.
  std::int64_t lines_of_libevent_ = 0;
  /// The server may write a line per second to stderr, where otherwise it has to be silent.
  void allow_a_log_line_per_second() { may_log_ = true; }

  void TearDown() override;

  SharedPlan plan_;
  bool with_allocation_faults_ = false;  ///< to be set before start()

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

/// The cells of the whole suite.
const std::vector<Cell>& every_cell();

/// True in the whole suite, false in the quick one: sets how often something is repeated.
bool whole_suite();
inline int repeat(int quick, int whole) { return whole_suite() ? whole : quick; }

/// What each cell has to do for all of them to do `total` together.
inline int share_of(int total) { return total / static_cast<int>(every_cell().size()); }

/// How much longer than usual everything takes: more than one under a sanitizer.
int slowness();
inline std::chrono::milliseconds soon(int ms) { return std::chrono::milliseconds(ms) * slowness(); }

/// The least that `measure` returns in a few turns, or the first that is no more than `bound`: the
/// machine may add to each of them, but not to all.
template <typename Measure>
std::chrono::nanoseconds least(std::chrono::nanoseconds bound, Measure measure) {
  std::chrono::nanoseconds least = measure();
  for (int turn = 1; turn < 5 && least > bound && !testing::Test::HasFailure(); ++turn) {
    least = std::min<std::chrono::nanoseconds>(least, measure());
  }
  return least;
}

/// Stops a process for as long as it lives, so that what comes meanwhile comes at once.
class Stopped {
 public:
  explicit Stopped(const test::ServerProcess& server);
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() { server_.signal(SIGCONT); }

 private:
  const test::ServerProcess& server_;
};

/// A receive buffer that fills soon, for clients that do not read. Not so small that the kernel
/// drops what does not fit and sends it again after ever longer times.
inline constexpr int kSmallBuffer = 65536;

/// Sends until the kernel takes no more for 100 ms. Returns how much it took of `data`.
std::size_t push_until_stuck(const Client& client, std::string_view data);

}  // namespace muxlab::faults
