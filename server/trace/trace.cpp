#include "server/trace/trace.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "backends/counting/counted_calls.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/loopback.hpp"
#include "backends/parts/notify.hpp"
#include "backends/parts/shortage.hpp"
#include "server/admission.hpp"
#include "server/listener.hpp"
#include "server/listener_source.hpp"

namespace muxlab::trace {
namespace {

constexpr std::uint64_t kPlaces = 1000;
/// Turns a hang into a failure. Much longer than a busy machine needs.
constexpr std::chrono::seconds kPatience{30};
constexpr int kAttempts = 20;

Availability probe(const Backend& backend) {
  if (backend.spins) {
    throw Failure(
        ExitCode::unavailable,
        fmt::format("backend {} cannot be traced: it never sleeps, so its trace would have no end; "
                    "choose one that waits",
                    backend.name));
  }
  Availability found = backend.probe();
  if (found.works) return found;
  throw Failure(ExitCode::unavailable,
                fmt::format("backend {} does not work here: {}{}{}", backend.name, found.reason,
                            found.fix.empty() ? "" : "; fix: ", found.fix));
}

/// Numbers the threads in the order of creation, which may differ from that of their first run.
void number_threads(Trace& trace) {
  const std::vector<pid_t> as_they_ran = trace.threads;
  std::sort(trace.threads.begin() + 1, trace.threads.end());  // the first creates the others
  for (Event& event : trace.events) {
    if (event.kind == Event::Kind::step) continue;
    const auto found = std::ranges::find(trace.threads, as_they_ran[event.call.thread]);
    event.call.thread = static_cast<std::size_t>(found - trace.threads.begin());
  }
}

/// Returns whether another thread of the server woke up this one.
bool is_woken_from_within(const Event& event) {
  return event.call.brings.size() == 1 && event.call.brings[0].descriptor == "eventfd";
}

/// Groups calls by thread, because the scheduler decides their order. The first thread, which
/// starts and stops the others, comes before them, or after them if one of them woke it up.
void group_by_thread(std::vector<Event>& events) {
  for (auto begin = events.begin(); begin != events.end();) {
    const auto end = std::find_if_not(
        begin, events.end(), [kind = begin->kind](const Event& one) { return one.kind == kind; });
    if (begin->kind != Event::Kind::step) {
      const auto of_first =
          std::find_if(begin, end, [](const Event& event) { return event.call.thread == 0; });
      const bool first_is_last = of_first != end && is_woken_from_within(*of_first);
      std::ranges::stable_sort(begin, end, {}, [first_is_last](const Event& event) {
        return std::pair(event.call.thread == 0 && first_is_last, event.call.thread);
      });
    }
    begin = end;
  }
}

/// The parts of a server with one thread, whose calls go to a log.
class TracedServer {
 public:
  TracedServer(int max_descriptor, TraceLog& log)
      : admission_(kPlaces, max_descriptor, options_.when_full),
        listener_(listen_on({.host = loopback().host}, false)),
        port_(port_of(listener_.get())),
        source_(std::move(listener_), admission_, stats_),
        stop_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
        observer_{.clocks = {}, .watcher = &log} {
    stats_.observer = &observer_;
    log.name_descriptor(source_.fd(), "listener");
    log.name_descriptor(stop_.get(), "stop");
  }
  TracedServer(const TracedServer&) = delete;
  TracedServer& operator=(const TracedServer&) = delete;
  ~TracedServer() {
    begin_stop();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const WorkerStats& stats() const { return stats_; }
  /// Serves in a thread on the processor `cpu`.
  void start(const Backend& backend, int cpu) {
    thread_ = std::thread([this, &backend, cpu] { serve(backend, cpu); });
  }
  void begin_stop() { notify(stop_.get()); }

  /// Throws the exception that ended the thread.
  void join() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void serve(const Backend& backend, int cpu) {
    run_on(cpu, true);
    const CountedCalls counted(stats_);
    try {
      Worker worker{.source = source_, .stop = stop_.get(), .options = options_, .stats = stats_};
      backend.serve(worker);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  ServeOptions options_;
  Admission admission_;
  UniqueFd listener_;  ///< the constructor moves it into the source
  std::uint16_t port_;
  WorkerStats stats_;
  ListenerSource source_;
  UniqueFd stop_;
  CallObserver observer_;
  std::exception_ptr failure_;
  std::thread thread_;
};

/// Performs a script. The server shares the clients' processor as a batch thread, so it does not
/// run between steps unless they are pre-empted. Its CPU time proves that it did not run.
class Performance {
 public:
  Performance(const Backend& backend, int max_descriptor)
      : cpu_(::sched_getcpu()),
        backend_(backend),
        server_(max_descriptor, log_),
        clients_(server_.port()) {
    run_on(cpu_, false);
  }

  Trace run(const std::vector<Step>& steps) {
    // Last, after all other descriptors are open: the server gets the same numbers each time.
    server_.start(backend_, cpu_);
    settle();
    for (const Step& step : steps) {
      if (step.action == Action::wait || (step.action == Action::receive && done_ > 0)) settle();
      if (step.action != Action::wait) perform(step);
    }
    settle();
    stop();
    return result();
  }

 private:
  void perform(const Step& step) {
    if (done_++ == 0) cpu_before_ns_ = log_.cpu_ns();
    log_.note_step("client", describe(step),
                   step.action == Action::connect ? step.client : std::string());
    clients_.perform(step);
    if (done_ > 1 && log_.cpu_ns() != cpu_before_ns_) stood_still_ = false;
  }

  /// Waits until the server is idle.
  void settle() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    clients_.let_all_arrive();
    while (!log_.is_still()) {
      if (std::chrono::steady_clock::now() > deadline) {
        throw Failure(ExitCode::failed, fmt::format("the server on {} was not idle within {} s",
                                                    backend_.name, kPatience.count()));
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));  // leaves the processor to it
      clients_.let_all_arrive();
    }
    log_.note_waiting();
    done_ = 0;
  }

  /// The server half-closes the remaining connections and waits until the clients close them.
  void stop() {
    log_.note_step("muxlab", "stop");
    server_.begin_stop();
    settle();
    for (const std::string& name : clients_.open()) {
      if (!log_.has_threads()) break;
      perform({.action = Action::close, .client = name});
      settle();
    }
    server_.join();
  }

  Trace result() {
    const WorkerStats& stats = server_.stats();
    Trace trace{.backend = std::string(backend_.name),
                .events = log_.take_events(),
                .descriptors = log_.descriptors(),
                .threads = log_.threads(),
                .bytes_in = total(stats, &WorkerStats::bytes_in),
                .bytes_out = total(stats, &WorkerStats::bytes_out),
                .stood_still = stood_still_};
    number_threads(trace);
    group_by_thread(trace.events);
    for (std::size_t i = 0; i < kCallNames.size(); ++i) {
      trace.calls[i] = total(stats, static_cast<Call>(i));
    }
    return trace;
  }

  int cpu_;
  const Backend& backend_;
  TraceLog log_;
  TracedServer server_;
  ScriptedClients clients_;  ///< after server_, so that it is destroyed first
  std::size_t done_ = 0;     ///< steps since the server was idle
  std::uint64_t cpu_before_ns_ = 0;
  bool stood_still_ = true;
};

}  // namespace

Trace make_trace(const Backend& backend, const std::vector<Step>& steps) {
  const Availability available = probe(backend);
  loopback();  // throws without a loopback address
  constexpr std::size_t kOwn = 14;
  const auto connections = std::ranges::count(steps, Action::connect, &Step::action);
  require_descriptors(kOwn + 2 * static_cast<std::size_t>(connections));
  std::optional<Trace> trace;
  for (int attempt = 0; attempt < kAttempts && (!trace || !trace->stood_still); ++attempt) {
    // A thread of its own, because it stays bound to a processor.
    trace = std::async(std::launch::async, [&] {
              return Performance(backend, available.max_descriptor).run(steps);
            }).get();
  }
  return *trace;
}

}  // namespace muxlab::trace
