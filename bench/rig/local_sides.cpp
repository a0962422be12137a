#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/loopback.hpp"
#include "backends/parts/process.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// A side fails if a step exceeds its expected time by this.
constexpr seconds kPatience{15};
/// A server sleeps within microseconds after its last answer, unless another program uses its
/// processor.
constexpr seconds kMostToFallAsleep{5};
constexpr microseconds kNap{50};
constexpr milliseconds kMostToStop{2};  // of a process whose threads are not watched
/// With more threads, reading a file per thread would take longer than a slice.
constexpr std::size_t kMostWatchedThreads = 16;

void nap(nanoseconds duration) {
  const timespec time{.tv_sec = 0, .tv_nsec = duration.count()};
  ::nanosleep(&time, nullptr);
}

std::string obituary(std::string_view what, const Process& process) {
  const std::string words = process.last_words();
  return fmt::format("{} ended with code {}: {}", what, process.exit_code().value_or(-1),
                     words.empty() ? "it gave no reason" : words);
}

/// Returns a command that runs this program itself.
Command own_command(std::vector<std::string> words, const std::vector<int>& processors) {
  return {.words = std::move(words), .processors = processors, .shares_environment = true};
}

/// Makes the child inherit `fd`, and passes its number with `option`.
Command with(Command command, int fd, const char* option) {
  command.inherited = fd;
  command.words.insert(command.words.end(), {option, fmt::to_string(kInheritedFd)});
  return command;
}

std::vector<std::string> serve_words(const std::filesystem::path& program, const ServerSpec& spec) {
  const Cell& cell = spec.cell;
  std::vector<std::string> words = {program,       "serve",       "--backend",
                                    cell.backend,  "--threads",   fmt::to_string(cell.threads),
                                    "--threading", cell.threading};
  if (!cell.unix_sockets) words.insert(words.end(), {"--host", loopback().host});
  if (cell.threading == "acceptor") words.insert(words.end(), {"--notify", cell.notify});
  if (spec.time_calls) words.emplace_back("--time-calls");
  return words;
}

/// Returns the sum of some fields of proc_meminfo(5).
std::uint64_t meminfo_bytes(std::initializer_list<std::string_view> names) {
  std::ifstream file("/proc/meminfo");
  std::uint64_t kilobytes = 0, sum = 0;
  for (std::string name, unit; file >> name >> kilobytes; std::getline(file, unit)) {
    if (std::ranges::count(names, name) > 0) sum += 1024 * kilobytes;
  }
  return sum;
}

/// Returns the second field of proc_pid_statm(5), in bytes.
std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::uint64_t all_pages = 0, resident_pages = 0;
  statm >> all_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The states of a process's threads, from proc_pid_stat(5).
class ThreadStates {
 public:
  /// Opens the state file of each thread. With more than `most` threads, no state is known.
  ThreadStates(pid_t pid, std::size_t most) {
    const auto tasks = fmt::format("/proc/{}/task", pid);
    std::error_code error;
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
      if (files_.size() == most) {
        files_.clear();
        return;
      }
      files_.emplace_back(::open((task.path() / "stat").c_str(), O_RDONLY | O_CLOEXEC));
    }
  }

  [[nodiscard]] bool are_known() const { return !files_.empty(); }
  /// Returns true if the state letter of each thread is in `states`.
  [[nodiscard]] bool all_are(std::string_view states) const {
    for (const UniqueFd& file : files_) {
      std::array<char, 256> text{};
      const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
      if (size <= 0) continue;  // the thread has ended
      const std::string_view stat(text.data(), static_cast<std::size_t>(size));
      const std::size_t name_end = stat.rfind(')');
      if (name_end == std::string_view::npos || name_end + 2 >= stat.size()) return false;
      if (states.find(stat[name_end + 2]) == std::string_view::npos) return false;
    }
    return true;
  }

 private:
  std::vector<UniqueFd> files_;
};

class LocalServer final : public ServerSide {
 public:
  /// `own_file`: the board or the unix socket, removed at the end; may be empty. `churns`:
  /// connections come and go, and perhaps threads with them.
  LocalServer(Command command, const Backend& backend, bool churns, int interrupt,
              std::filesystem::path own_file)
      : own_file_(std::move(own_file)),
        has_board_(is_oracle(backend)),
        churns_(churns),
        never_sleeps_(backend.spins),
        interrupt_(interrupt),
        counter_file_(make_counter_file()),
        counters_(counter_file_.get()),
        process_(with(std::move(command), counter_file_.get(), "--counters")) {
    if (::clock_getcpuclockid(process_.pid(), &clock_) != 0) {
      throw SideFailed("its CPU clock cannot be read");
    }
  }

  ~LocalServer() override {
    process_.send(SIGKILL);
    std::error_code gone;
    if (!own_file_.empty()) std::filesystem::remove(own_file_, gone);
  }

  void abandon() override { process_.send(SIGKILL); }  // on SIGTERM it would wait for its clients

  std::string address() override {
    constexpr std::string_view kPrefix = "listening on ";
    std::optional<std::string> line;
    const Wake wake = wait_for(process_, interrupt_, Clock::now() + kPatience, [&] {
      line = process_.output().take_line();
      return line || process_.exit_code();
    });
    if (wake == Wake::interrupted) throw Interrupted();
    if (wake == Wake::deadline) throw SideFailed("the server did not start within 15 s");
    if (!line) throw SideFailed(obituary("the server", process_));
    if (!line->starts_with(kPrefix)) {
      throw SideFailed(fmt::format("the server printed \"{}\" first", *line));
    }
    return line->substr(kPrefix.size(), line->find(' ', kPrefix.size()) - kPrefix.size());
  }

  MemoryUse memory() override {
    return {.resident_bytes = resident_bytes(process_.pid()),
            .kernel_bytes = meminfo_bytes({"Slab:", "KernelStack:", "PageTables:"})};
  }

  void settle() override {
    threads_.emplace(process_.pid(), kMostWatchedThreads);
    never_sleeps_ ? stop() : static_cast<void>(await_rest());
  }

  Silence begin_slice() override {
    if (never_sleeps_) {
      const Silence silence = now();
      process_.send(SIGCONT);
      return silence;
    }
    return !churns_ && threads_->are_known() && threads_->all_are("S") ? now() : await_rest();
  }

  Silence end_slice() override {
    if (!never_sleeps_) return await_rest();
    stop();
    return now();
  }

  std::string how_it_ended() override {
    wait_for(process_, -1, Clock::now(), [] { return false; });
    return process_.exit_code() ? obituary("the server", process_) : "";
  }

  /// Returns the path of the oracle's board; empty for any other backend.
  [[nodiscard]] std::string board() const { return has_board_ ? own_file_.string() : ""; }

 private:
  /// Reads counters and clock without waiting. Exact only while the server sleeps.
  Silence now() {
    timespec spent{};
    if (::clock_gettime(clock_, &spent) != 0) {
      throw SideFailed("its CPU clock cannot be read");
    }
    return {counters_.read(), static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000 +
                                  static_cast<std::uint64_t>(spent.tv_nsec)};
  }

  /// Returns true if no thread runs, waits for a processor, or has work left.
  bool is_at_rest() {
    if (churns_) threads_.emplace(process_.pid(), SIZE_MAX);
    if (threads_->are_known()) return threads_->all_are("S");
    // With thousands of threads, use the counters instead. A thread counts received bytes before it
    // sends, sent bytes and the echo after that, and the next receive before it blocks in it. So
    // once all rest, the bytes are equal, and the excess of receives over echoes is at its maximum.
    const CounterSums all = counters_.read();
    if (all.bytes_in != all.bytes_out || all.receives_ahead < most_ahead_) return false;
    most_ahead_ = all.receives_ahead;
    return true;
  }

  Silence await_rest() {
    const auto silence = await_silence([this] { return is_at_rest(); }, [this] { return now(); },
                                       [] { nap(kNap); }, Clock::now() + kMostToFallAsleep);
    if (!silence) throw SideFailed("the server does not fall asleep");
    return *silence;
  }

  /// Stops the server once it has counted all sent bytes, because SIGSTOP may hit between sending
  /// and counting.
  void stop() {
    const auto counted = [this] {
      const CounterSums all = counters_.read();
      return all.bytes_in == all.bytes_out;
    };
    const auto until = Clock::now() + kMostToFallAsleep;
    while (!counted() && Clock::now() < until) nap(kNap);
    nap(kNap);
    process_.send(SIGSTOP);
    if (!threads_->are_known()) nap(kMostToStop);
    const auto deadline = Clock::now() + kMostToFallAsleep;
    while (!threads_->all_are("T")) {
      nap(kNap);
      if (Clock::now() > deadline) throw SideFailed("the server cannot be stopped");
    }
  }

  std::filesystem::path own_file_;
  bool has_board_;
  bool churns_;
  bool never_sleeps_;
  int interrupt_;
  UniqueFd counter_file_;
  CounterReader counters_;
  Process process_;
  clockid_t clock_{};
  std::optional<ThreadStates> threads_;
  std::uint64_t most_ahead_ = 0;  // largest excess of receives over echoes so far
};

struct Channel {
  Channel() {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    ours = UniqueFd(ends[0]);
    theirs = UniqueFd(ends[1]);
  }
  UniqueFd ours;
  UniqueFd theirs;
};

class LocalLoad final : public LoadSide {
 public:
  LocalLoad(Command command, int interrupt, Channel channel)
      : interrupt_(interrupt),
        channel_(std::move(channel.ours)),
        process_(with(std::move(command), channel.theirs.get(), "--slices")) {}

  void abandon() override { process_.send(SIGKILL); }

  void command(const SliceCommand& command) override {
    deadline_ = Clock::now() + nanoseconds(command.duration_ns) + kPatience;
    // If the load process is gone, reply() throws.
    static_cast<void>(::send(channel_.get(), &command, sizeof command, MSG_NOSIGNAL));
  }

  SliceReply reply(SliceTimes& times) override {
    SliceReply reply;
    receive(&reply, sizeof reply);
    add_counts(times.latency_ns, reply.latency_counts);
    add_counts(times.first_echo_ns, reply.first_echo_counts);
    if (reply.is_broken()) throw SideFailed(reply.broken.data());
    return reply;
  }

 private:
  void receive(void* data, std::size_t expected) {
    await_readable();
    const ssize_t size = ::recv(channel_.get(), data, expected, MSG_DONTWAIT);
    if (size >= 0 && static_cast<std::size_t>(size) == expected) return;
    wait_for(process_, -1, Clock::now() + kPatience,
             [&] { return process_.exit_code().has_value(); });
    throw SideFailed(obituary("the load", process_));
  }

  void add_counts(Histogram& histogram, std::size_t left) {
    std::array<HistogramCount, kCountsPerPacket> counts;
    while (left > 0) {
      const std::size_t here = std::min(left, counts.size());
      receive(counts.data(), here * sizeof counts[0]);
      for (std::size_t i = 0; i < here; ++i) {
        histogram.add(std::min<std::size_t>(counts[i].bucket, Histogram::kBuckets - 1),
                      counts[i].count);
      }
      left -= here;
    }
  }

  void await_readable() {
    std::array<pollfd, 2> waited{{{channel_.get(), POLLIN, 0}, {interrupt_, POLLIN, 0}}};
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now()).count();
      const bool is_last = left <= 0;  // poll once more: the reply may be there and we are late
      ::poll(waited.data(), waited.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
      if (waited[1].revents != 0) throw Interrupted();
      if (waited[0].revents != 0) return;
      if (is_last) throw SideFailed("the load did not answer in time");
    }
  }

  /// Opening thousands of connections to fifteen servers at once takes up to a minute.
  Clock::time_point deadline_ = Clock::now() + 4 * kPatience;
  int interrupt_;
  UniqueFd channel_;
  Process process_;
};

}  // namespace

LocalSides::~LocalSides() {
  std::error_code gone;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, gone);
}

std::filesystem::path LocalSides::new_file() {
  if (folder_.empty()) {
    constexpr std::size_t kMost = 80;  // of the 107 bytes for the path of a unix socket
    const char* const given = std::getenv("TMPDIR");
    const bool is_usable = given != nullptr && *given != '\0' && std::strlen(given) < kMost;
    std::string name = std::string(is_usable ? given : "/tmp") + "/muxlab-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      throw Failure(ExitCode::unavailable,
                    fmt::format("cannot make the folder {}: {}: have TMPDIR name one that can be "
                                "written",
                                name, std::generic_category().message(errno)));
    }
    folder_ = name;
  }
  return folder_ / fmt::to_string(started_++);
}

std::unique_ptr<ServerSide> LocalSides::start_server(const ServerSpec& spec) {
  const Backend& backend = *find_backend(spec.cell.backend);
  std::vector<std::string> words = serve_words(program_, spec);
  std::filesystem::path own_file;
  if (spec.cell.unix_sockets || is_oracle(backend)) {
    own_file = new_file();
    words.insert(words.end(), {is_oracle(backend) ? "--oracle" : "--unix", own_file});
  }
  return std::make_unique<LocalServer>(own_command(std::move(words), spec.processors), backend,
                                       spec.cell.churn > 0, interrupt_, own_file);
}

std::unique_ptr<LoadSide> LocalSides::start_load(const LoadSpec& spec, ServerSide& server) {
  const Cell& cell = spec.cell;
  std::vector<std::string> words = {program_,        "load",
                                    "--connect",     spec.address,
                                    "--connections", fmt::to_string(cell.connections),
                                    "--idle",        fmt::to_string(cell.idle),
                                    "--size",        fmt::to_string(cell.size_bytes)};
  const auto add = [&words](const char* option, std::uint64_t value) {
    if (value > 0) words.insert(words.end(), {option, fmt::to_string(value)});
  };
  add("--depth", cell.depth);
  add("--rate", cell.rate_per_s);
  add("--churn", cell.churn);
  const std::string board = dynamic_cast<LocalServer&>(server).board();
  if (board.empty()) {
    words.insert(words.end(), {"--engine", cell.engine});
  } else {
    words.insert(words.end(), {"--oracle", board});
  }
  return std::make_unique<LocalLoad>(own_command(std::move(words), spec.processors), interrupt_,
                                     Channel());
}

}  // namespace muxlab
