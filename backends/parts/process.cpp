#include "backends/parts/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

/// Everything that the child needs between fork and exec, where it must not allocate.
struct Launch {
  std::vector<char*> arguments;
  std::vector<char*> environment;  ///< empty: that of this process
  const char* folder;
  cpu_set_t processors;
  bool pinned;
  pid_t parent;
  int output, errors, inherited;
};

/// Also clears close-on-exec if the descriptor is already in its place; dup2(2) would leave it set.
void place(int from, int to) {
  if (from == to) {
    ::fcntl(to, F_SETFD, 0);
  } else {
    ::dup2(from, to);
  }
}

[[noreturn]] void give_up(std::string_view why) {
  (void)!::write(STDERR_FILENO, why.data(), why.size());
  ::_exit(127);
}

/// Runs in the child: async-signal-safe calls only (signal-safety(7)).
[[noreturn]] void become(Launch& launch) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_DFL);  // ignored by us
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A parent that died before the line above can no longer kill this child.
  if (::getppid() != launch.parent) ::_exit(127);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) place(null, STDIN_FILENO);
  place(launch.output, STDOUT_FILENO);
  place(launch.errors, STDERR_FILENO);
  if (launch.inherited >= 0) place(launch.inherited, kInheritedFd);
  // On other processors it would be another measurement, without notice.
  if (launch.pinned && ::sched_setaffinity(0, sizeof(launch.processors), &launch.processors) != 0) {
    give_up("cannot be bound to its processors: sched_setaffinity fails\n");
  }
  if (launch.folder == nullptr || ::chdir(launch.folder) == 0) {
    if (!launch.environment.empty()) ::environ = launch.environment.data();
    ::execvp(launch.arguments.front(), launch.arguments.data());
  }
  give_up("cannot be run\n");
}

// <sys/pidfd.h> of glibc 2.36 forgets to say that its functions are C, so this goes by number.
int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

/// Drops relative folders, which would be searched below the child's folder: a folder of results is
/// no place to find programs in.
std::string search_path() {
  const char* const path = ::getenv("PATH");
  if (path == nullptr) return "/usr/local/bin:/usr/bin:/bin";
  std::istringstream folders{std::string(path)};
  std::string absolute;
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.starts_with('/')) absolute += (absolute.empty() ? "" : ":") + folder;
  }
  return absolute.empty() ? "/dev/null" : absolute;  // empty would mean the child's folder
}

std::vector<std::string> fixed_environment() {
  std::vector<std::string> all = {"PATH=" + search_path(), "LC_ALL=C.UTF-8", "TERM=dumb"};
  for (const char* const name : {"LD_LIBRARY_PATH", "TMPDIR"}) {
    if (const char* const value = ::getenv(name)) all.push_back(std::string(name) + '=' + value);
  }
  return all;
}

/// Returns null-terminated pointers, as exec requires.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

cpu_set_t cpu_set_of(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(static_cast<std::size_t>(processor), &set);
  return set;
}

/// The interval of checks if nothing reports the end of a child.
constexpr std::chrono::milliseconds kLookAgain{10};

/// Rounded up: a deadline a moment away must not turn into a busy loop of zero waits.
int timeout_ms(Clock::time_point deadline) {
  if (deadline == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace

UniqueFd PipeReader::open() {
  int ends[2];
  checked(::pipe2(ends, O_CLOEXEC), "pipe2");
  fd_ = UniqueFd(ends[0]);
  UniqueFd write_end(ends[1]);
  // Only our end: the other becomes the child's stdout, which it expects to block.
  checked(::fcntl(fd_.get(), F_SETFL, O_NONBLOCK), "fcntl");
  return write_end;
}

void PipeReader::drain() {
  while (fd_) {
    std::array<char, 4096> chunk;
    const ssize_t size = ::read(fd_.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return fd_.reset();
    text_.append(chunk.data(), static_cast<std::size_t>(size));
    if (text_.size() > max_bytes_) text_.erase(0, text_.size() - max_bytes_);
  }
}

std::optional<std::string> PipeReader::take_line() {
  const std::size_t end = text_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  return line;
}

Process::Process(const Command& command) {
  const UniqueFd output = output_.open(), errors = errors_.open();
  std::vector<std::string> words = command.words, variables = fixed_environment();
  Launch launch{pointers_to(words),
                command.shares_environment ? std::vector<char*>() : pointers_to(variables),
                command.folder.empty() ? nullptr : command.folder.c_str(),
                cpu_set_of(command.processors),
                !command.processors.empty(),
                ::getpid(),
                output.get(),
                errors.get(),
                command.inherited};
  pid_ = checked(::fork(), "fork");
  if (pid_ == 0) become(launch);
  pidfd_ = UniqueFd(pidfd_open(pid_));
}

/// Does not wait for a child that cannot be killed: the kernel kills it when this process ends.
Process::~Process() {
  if (exit_code_) return;
  if (::kill(pid_, SIGKILL) == 0) collect_exit_code(0);
}

void Process::send(int signal) const {
  if (!exit_code_) ::kill(pid_, signal);
}

/// Waits for the child's end unless `options` are WNOHANG. The status of a child that was reaped
/// elsewhere is unknown: 255 then, rather than an exception.
void Process::collect_exit_code(int options) {
  int status = 0;
  pid_t result = -1;
  do result = ::waitpid(pid_, &status, options);
  while (result < 0 && errno == EINTR);
  if (result == 0) return;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  exit_code_ = result == pid_ ? code : 255;
}

Wake Process::await_change(int interrupt, Clock::time_point deadline) {
  // poll(2) ignores -1: no interrupt, a child that was reaped, a pipe that has ended.
  std::array<pollfd, 4> polled = {{{interrupt, POLLIN, 0},
                                   {exit_code_ ? -1 : pidfd_.get(), POLLIN, 0},
                                   {output_.fd(), POLLIN, 0},
                                   {errors_.fd(), POLLIN, 0}}};
  const bool looks_itself = !exit_code_ && !pidfd_;
  const auto until = looks_itself ? std::min(deadline, Clock::now() + kLookAgain) : deadline;
  const int ready = ::poll(polled.data(), polled.size(), timeout_ms(until));
  if (ready < 0 && errno != EINTR) throw_errno("poll");
  if (polled[0].revents != 0) return Wake::interrupted;
  // Before the pipes: an ended child writes no more.
  if (looks_itself || polled[1].revents != 0) collect_exit_code(WNOHANG);
  const bool has_changed = ready > 0 || (looks_itself && exit_code_);
  if (!has_changed && Clock::now() >= deadline) return Wake::deadline;
  output_.drain();
  errors_.drain();
  return Wake::happened;
}

std::string Process::last_words() const {
  std::string words = errors_.text();
  while (!words.empty() && words.back() == '\n') words.pop_back();
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return words;
}

Wake wait_for(Process& process, int interrupt, Clock::time_point deadline,
              const std::function<bool()>& happened) {
  while (!happened()) {
    const Wake wake = process.await_change(interrupt, deadline);
    if (wake != Wake::happened) return wake;
  }
  return Wake::happened;
}

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  checked(::sched_getaffinity(0, sizeof(set), &set), "sched_getaffinity");
  std::vector<int> allowed;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(static_cast<std::size_t>(processor), &set)) allowed.push_back(processor);
  }
  return allowed;
}

Processors share_processors(std::span<const int> allowed, std::uint64_t server_threads) {
  if (allowed.size() < 2) {
    const std::vector<int> only(allowed.begin(), allowed.end());
    return {only, only};
  }
  const std::size_t servers = std::min<std::size_t>(server_threads, allowed.size() - 1);
  const std::span<const int> server = allowed.first(servers);
  const std::span<const int> client = allowed.subspan(servers);
  return {{server.begin(), server.end()}, {client.begin(), client.end()}};
}

}  // namespace muxlab
