#include "bench/load/load.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "backends/parts/descriptor_limit.hpp"
#include "backends/parts/failure.hpp"
#include "bench/load/loop.hpp"

namespace muxlab {
namespace {

LoadTally run_thread(LoadSetup& setup, std::uint64_t number) {
  try {
    ::prctl(PR_SET_TIMERSLACK, 1);  // ns; the kernel may otherwise wake us 50 us late
    LoadThread thread(setup, number);
    LoadTally& tally = thread.connections().tally();
    setup.timeline.arrive(tally.established);
    thread.run();
    return std::move(tally);
  } catch (...) {
    setup.timeline.end();  // or the other threads would wait for this one forever
    throw;
  }
}

/// Returns the time in ns that the current threads of this process, since their start, were
/// runnable without a processor: the second field of /proc/PID/task/TID/schedstat. Returns nullopt
/// for more than 64 threads, because reading would disturb them, or if the kernel lacks the file.
std::optional<double> runqueue_wait_ns() {
  constexpr std::size_t kMaxThreadsToAsk = 64;
  double sum = 0;
  std::size_t threads = 0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    double ran = 0, waited = 0;
    std::ifstream schedstat(thread.path() / "schedstat");
    if (++threads > kMaxThreadsToAsk || !(schedstat >> ran >> waited)) return std::nullopt;
    sum += waited;
  }
  return threads > 0 ? std::optional(sum) : std::nullopt;
}

/// Conducts all threads through the run. Returns false if it ended early.
bool conduct(const LoadOptions& options, Timeline& timeline, LoadReport& report) {
  const std::int64_t dialled_ns = monotonic_ns();
  if (!timeline.await_arrivals(options.threads, options.interrupt)) return false;
  report.connecting = std::chrono::nanoseconds{monotonic_ns() - dialled_ns};
  if (timeline.established() == 0) return true;
  timeline.start();
  if (!timeline.pause(options.warmup, options.interrupt)) return false;

  // Clock, processor time and threads share one instant, so that all three have the same window
  // even if this thread wakes late.
  const std::optional<double> begin_wait_ns = runqueue_wait_ns();
  const std::int64_t begin_cpu_ns = process_cpu_ns();
  const std::int64_t begin_ns = monotonic_ns();
  timeline.begin_window(begin_ns);
  if (options.on_window) options.on_window();
  const bool is_complete = timeline.pause(options.duration, options.interrupt);
  const std::int64_t end_ns = monotonic_ns();
  timeline.end_window(end_ns);
  const std::int64_t end_cpu_ns = process_cpu_ns();
  report.window = std::chrono::nanoseconds{end_ns - begin_ns};
  if (const auto end_wait_ns = runqueue_wait_ns(); begin_wait_ns && end_wait_ns) {
    report.runqueue_wait = std::chrono::nanoseconds{std::llround(*end_wait_ns - *begin_wait_ns)};
  }
  report.client_cpu = std::chrono::nanoseconds{end_cpu_ns - begin_cpu_ns};
  return is_complete;
}

/// Throws the reason why no connection has echoed, as far as the client knows it.
[[noreturn]] void fail_without_any(const LoadOptions& options, const LoadTally& tally) {
  if (tally.errors.of(LoadError::mismatch) > 0) {
    throw Failure(ExitCode::failed,
                  fmt::format("{} is no echo server: {}", options.connect, tally.first_error));
  }
  const bool is_refused = tally.errors.of(LoadError::connect) == tally.errors.total();
  throw Failure(
      ExitCode::unavailable,
      fmt::format("no connection to {} came up{} {}", options.connect,
                  is_refused ? ", is its server running? First:" : ":", tally.first_error));
}

/// Ends the run at the end of the scope, or threads would wait for a conductor that is gone.
using EndAtExit = std::unique_ptr<Timeline, decltype([](Timeline* timeline) { timeline->end(); })>;

/// The first messages of an open loop wake a sleeping server, so they are not timed.
constexpr std::int64_t kUntimed_ns = 10'000'000;

struct Counts {
  std::uint64_t sent, received, opened, unsent, delayed;
};
Counts counts_of(const LoadTally& tally) {
  return {tally.bytes_sent, tally.bytes_received, tally.established, tally.unsent,
          tally.without_port};
}

/// Returns the reason why the load cannot continue; empty if all echoes are back.
std::string why_broken(LoadConnections& connections, std::chrono::nanoseconds grace) {
  const LoadTally& tally = connections.tally();
  if (!tally.first_error.empty()) return tally.first_error;
  std::uint64_t missing = 0;
  for (const LoadConnection& connection : connections.active()) {
    if (connection.fd) missing += connection.stream.due() - connection.stream.received();
    if (connection.fd && connection.is_ending) return "the server does not end a connection";
  }
  if (missing == 0) return {};
  return fmt::format("no answer for {:g} s: {} bytes are missing",
                     std::chrono::duration<double>(grace).count(), missing);
}

/// Runs one slice. Connections stay open, except that churn replaces them.
SliceReply run_slice(LoadThread& thread, LoadSetup& setup, const SliceCommand& command) {
  LoadTally& tally = thread.connections().tally();
  tally.latency_ns.clear();
  tally.first_echo_ns.clear();
  tally.shares = tally.share_sum = tally.share_square_sum = 0;
  const Counts before = counts_of(tally);
  const std::int64_t begin_cpu_ns = process_cpu_ns();
  const std::int64_t begin_ns = monotonic_ns();
  setup.timeline.start();
  setup.timeline.begin_window(
      begin_ns + (setup.options.rate ? std::min(kUntimed_ns, command.duration_ns / 10) : 0));
  thread.run(&command);
  SliceReply reply;
  reply.elapsed_ns = monotonic_ns() - begin_ns;
  reply.client_cpu_ns = process_cpu_ns() - begin_cpu_ns;
  const Counts after = counts_of(tally);
  reply.bytes_sent = after.sent - before.sent;
  reply.bytes_received = after.received - before.received;
  reply.echoes = reply.bytes_received / setup.options.size_bytes;
  reply.opened = after.opened - before.opened;
  reply.unsent = after.unsent - before.unsent;
  reply.delayed = after.delayed - before.delayed;
  reply.shares = tally.shares;
  reply.share_sum = tally.share_sum;
  reply.share_square_sum = tally.share_square_sum;
  const std::string reason = why_broken(thread.connections(), setup.options.grace);
  if (!reason.empty()) reply.break_off(reason);
  return reply;
}

std::vector<HistogramCount> counts_of(const Histogram& histogram) {
  std::vector<HistogramCount> all;
  if (histogram.count() == 0) return all;
  for (std::uint32_t i = 0; i < Histogram::kBuckets; ++i) {
    const std::uint64_t count = histogram.counts()[i];
    if (count > 0) all.push_back({i, static_cast<std::uint32_t>(count)});
  }
  return all;
}

/// Receives a command. Returns false if the other side has closed the channel.
bool receive(int channel, SliceCommand& command) {
  ssize_t size = 0;
  do size = ::recv(channel, &command, sizeof command, 0);
  while (size < 0 && errno == EINTR);
  return size == sizeof command;
}

void send_packet(int channel, const void* data, std::size_t size) {
  // If the harness is gone, the next receive ends this process.
  static_cast<void>(::send(channel, data, size, MSG_NOSIGNAL));
}

void send(int channel, SliceReply reply, const LoadTally& tally) {
  const std::array counts = {counts_of(tally.latency_ns), counts_of(tally.first_echo_ns)};
  reply.latency_counts = static_cast<std::uint32_t>(counts[0].size());
  reply.first_echo_counts = static_cast<std::uint32_t>(counts[1].size());
  send_packet(channel, &reply, sizeof reply);
  for (const std::vector<HistogramCount>& all : counts) {
    for (std::size_t begin = 0; begin < all.size(); begin += kCountsPerPacket) {
      const std::size_t count = std::min(kCountsPerPacket, all.size() - begin);
      send_packet(channel, &all[begin], count * sizeof all[begin]);
    }
  }
}

}  // namespace

LoadThread::LoadThread(LoadSetup& setup, std::uint64_t thread)
    : setup_(setup),
      thread_(thread),
      sources_(setup.target.is_ipv4_loopback(),
               std::max<std::uint64_t>(1, kMaxFromOneAddress / setup.options.threads)) {
  const LoadOptions& options = setup.options;
  const std::uint64_t active = share_of(options.connections, thread, options.threads);
  const std::uint64_t idle = share_of(options.idle, thread, options.threads);
  connections_ = make_connections(
      setup.engine, setup.pattern,
      {.count = active + idle, .active = active, .first = thread, .stride = options.threads},
      options.size_bytes * std::min(options.depth, kManyInFlight));
  establish(*connections_, setup.target, sources_, setup.timeline,
            {.under_way = std::max<std::uint64_t>(1, kMaxUnderWay / options.threads),
             .active_bytes = options.size_bytes,
             .patience = options.connect_patience});
  if (!options.oracle) return;
  teller_.emplace(*options.oracle).begin(connections_->active());
  connections_->report_to(*teller_);
}

void LoadThread::run(const SliceCommand* slice) {
  const LoadOptions& options = setup_.options;
  if (options.rate) {
    run_open_loop(*connections_, setup_.timeline, options, thread_,
                  options.seed + thread_ + slices_++, slice);
  } else {
    run_closed_loop(*connections_, setup_.timeline, setup_.target, sources_, options, slice);
  }
}

void check_options(const LoadOptions& options) {
  const auto reject = [](const std::string& message) { throw Failure(ExitCode::usage, message); };
  if (options.connections == 0) reject("--connections 0: at least one has to echo");
  if (options.size_bytes == 0) reject("--size 0: a message has at least one byte");
  if (options.depth == 0) reject("--depth 0: at least one message has to be in flight");
  if (options.rate == 0U) reject("--rate 0: at least one message per second");
  if (options.churn == 0U) reject("--churn 0: a connection echoes at least once");
  if (options.churn && options.rate) reject(kChurnOrRate);
  if (options.threads == 0) reject("--threads 0: at least one has to run");
  if (options.threads > options.connections) {
    reject(fmt::format("--threads {} is more than --connections {}: a thread needs a connection",
                       options.threads, options.connections));
  }
  check_oracle(options);
  constexpr std::chrono::hours kLongest{24};
  if (options.duration.count() <= 0) reject("--duration 0: nothing would be measured");
  if (options.duration > kLongest) reject("--duration is too long: at most a day");
  if (options.warmup.count() < 0) reject("--warmup is negative: at least 0");
  if (options.warmup > kLongest) reject("--warmup is too long: at most a day");
}

void reserve_descriptors(const LoadOptions& options) {
  const std::uint64_t others =
      kClientDescriptors + options.threads;  // an epoll instance or a ring each
  const std::uint64_t limit = raise_descriptor_limit();
  const std::uint64_t wanted = options.connections + options.idle;
  if (wanted + others <= limit) return;
  throw Failure(ExitCode::unavailable,
                fmt::format("--connections {} and --idle {} need {} descriptors and the hard limit "
                            "is {}: raise it (ulimit -Hn), or ask for {} connections at most",
                            options.connections, options.idle, wanted + others, limit,
                            limit > others ? limit - others : 0));
}

LoadReport run_load(const LoadOptions& options) {
  check_options(options);
  reserve_descriptors(options);
  LoadSetup setup(options);
  LoadReport report;
  report.engine = setup.engine;
  std::vector<std::future<LoadTally>> threads;
  {
    const EndAtExit end_at_exit(&setup.timeline);
    for (std::uint64_t thread = 0; thread < options.threads; ++thread) {
      threads.push_back(std::async(std::launch::async, run_thread, std::ref(setup), thread));
    }
    report.interrupted = !conduct(options, setup.timeline, report);
  }
  LoadTally& tally = report.tally;
  for (auto& thread : threads) tally.merge(thread.get());
  if (tally.bytes_sent != tally.bytes_received + tally.bytes_missing) {
    tally.errors.add(LoadError::conservation);
    tally.first_error += fmt::format(" [{} bytes sent, {} received, {} missing]", tally.bytes_sent,
                                     tally.bytes_received, tally.bytes_missing);
  }
  if (tally.established == 0 && !report.interrupted) fail_without_any(options, tally);
  return report;
}

void SliceReply::break_off(const std::string& reason) {
  const std::size_t size = std::min(reason.size(), broken.size() - 1);
  std::memcpy(broken.data(), reason.data(), size);
  broken[size] = '\0';
}

void run_sliced_load(const LoadOptions& options, int channel) {
  check_options(options);
  if (options.threads != 1) {
    throw Failure(ExitCode::usage, "--slices is for one thread: leave out --threads");
  }
  reserve_descriptors(options);
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns
  LoadSetup setup(options);
  LoadThread thread(setup, 0);
  LoadConnections& connections = thread.connections();
  connections.tally().latency_ns.clear();
  connections.tally().first_echo_ns.clear();
  SliceReply reply;
  if (!connections.tally().first_error.empty()) reply.break_off(connections.tally().first_error);
  send(channel, reply, connections.tally());
  for (SliceCommand command{}; receive(channel, command);) {
    if (!reply.is_broken()) reply = run_slice(thread, setup, command);
    send(channel, reply, connections.tally());
  }
  connections.close_all();
}

}  // namespace muxlab
