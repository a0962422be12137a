#include "bench/process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

constexpr std::size_t kMaxErrorBytes = 4096;

/// All that the child needs between fork and exec, made before: there it may not allocate.
struct Launch {
  std::vector<char*> arguments;
  const char* folder;
  cpu_set_t processors;
  bool pinned;
  pid_t parent;
  int output, errors, announcements, inherited;
};

/// dup2(2) leaves a descriptor alone that is already in its place, and with it close-on-exec.
void place(int from, int to) {
  if (from == to) {
    ::fcntl(to, F_SETFD, 0);
  } else {
    ::dup2(from, to);
  }
}

/// Runs in the child: async-signal-safe calls only (signal-safety(7)).
[[noreturn]] void become(const Launch& launch) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A parent that died before the line above can no longer kill this child.
  if (::getppid() != launch.parent) ::_exit(127);
  if (launch.pinned) ::sched_setaffinity(0, sizeof(launch.processors), &launch.processors);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) place(null, STDIN_FILENO);
  place(launch.output, STDOUT_FILENO);
  place(launch.errors, STDERR_FILENO);
  // Out of the way first: each may stand where the other is to go.
  const int announcements = ::fcntl(launch.announcements, F_DUPFD_CLOEXEC, kInheritedFd + 1);
  const int inherited = ::fcntl(launch.inherited, F_DUPFD_CLOEXEC, kInheritedFd + 1);
  ::dup2(announcements, kAnnounceFd);
  if (inherited >= 0) ::dup2(inherited, kInheritedFd);
  if (launch.folder == nullptr || ::chdir(launch.folder) == 0) {
    ::execvp(launch.arguments.front(), launch.arguments.data());
  }
  constexpr char message[] = "cannot be run\n";
  (void)!::write(STDERR_FILENO, message, sizeof(message) - 1);
  ::_exit(127);
}

// <sys/pidfd.h> of glibc 2.36 forgets to say that its functions are C, so these go by number.
int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
void pidfd_send_signal(int pidfd, int signal) {
  ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

cpu_set_t cpu_set_of(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(static_cast<std::size_t>(processor), &set);
  return set;
}

}  // namespace

Process::Process(const Command& command) {
  Pipe output = make_pipe(), errors = make_pipe(), announcements = make_pipe();
  std::vector<std::string> words = command.words;
  Launch launch{{},
                command.folder.empty() ? nullptr : command.folder.c_str(),
                cpu_set_of(command.processors),
                !command.processors.empty(),
                ::getpid(),
                output.write_end.get(),
                errors.write_end.get(),
                announcements.write_end.get(),
                command.inherited};
  for (std::string& word : words) launch.arguments.push_back(word.data());
  launch.arguments.push_back(nullptr);
  pid_ = checked(::fork(), "fork");
  if (pid_ == 0) become(launch);
  pidfd_ = UniqueFd(checked(pidfd_open(pid_), "pidfd_open"));
  output_ = PipeReader(std::move(output.read_end));
  errors_ = PipeReader(std::move(errors.read_end), kMaxErrorBytes);
  announcements_ = PipeReader(std::move(announcements.read_end));
}

Process::~Process() {
  if (exit_code_) return;
  send(SIGKILL);
  collect_exit_code();
}

void Process::send(int signal) const {
  if (!exit_code_) pidfd_send_signal(pidfd_.get(), signal);
}

/// A child that somebody else reaped cannot be asked: 255 then, rather than an exception.
void Process::collect_exit_code() {
  siginfo_t info{};
  int result = -1;
  do result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED);
  while (result < 0 && errno == EINTR);
  const int code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  exit_code_ = result == 0 ? code : 255;
}

void Process::reap() {
  collect_exit_code();
  output_.drain();
  errors_.drain();
  announcements_.drain();
}

std::string Process::last_words() const {
  std::string words = errors_.text();
  while (!words.empty() && words.back() == '\n') words.pop_back();
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return words;
}

int end_process(Process& process, std::chrono::nanoseconds patience) {
  const auto ended = [&] { return process.exit_code().has_value(); };
  process.send(SIGTERM);
  if (wait_for({&process}, -1, Clock::now() + patience, ended) != Wake::happened) {
    process.send(SIGKILL);
    wait_for({&process}, -1, Clock::time_point::max(), ended);
  }
  return *process.exit_code();
}

}  // namespace muxlab
