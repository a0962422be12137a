#include "server/inspect/live_echo.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/loopback.hpp"
#include "backends/parts/shortage.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/server.hpp"

namespace muxlab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kMessage = "live echo";
constexpr std::string_view kPassed = "+";

UniqueFd connect_to(std::uint16_t port) {
  const SocketAddress server = loopback().at(port);
  UniqueFd client(checked(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  checked(::connect(client.get(), server.get(), server.size), "connect");
  return client;
}

std::string receive(int socket, std::size_t size) {
  std::string text(size, '\0');
  const ssize_t received = ::recv(socket, text.data(), size, MSG_WAITALL);
  text.resize(static_cast<std::size_t>(checked(static_cast<int>(received), "recv")));
  return text;
}

/// Returns why the message was not echoed; empty if it was. Does not time out: the parent process
/// kills it.
std::string why_no_echo(const Backend& backend) try {
  ServeOptions options;
  options.host = loopback().host;
  options.drain = std::chrono::seconds(1);
  Server server(backend, options);
  UniqueFd client = connect_to(server.port());
  checked(static_cast<int>(::send(client.get(), kMessage.data(), kMessage.size(), MSG_NOSIGNAL)),
          "send");
  const bool same = receive(client.get(), kMessage.size()) == kMessage;
  client.reset();
  server.stop();
  return same ? "" : "the echo differs from the message";
} catch (const std::system_error& error) {
  return explain(error);
} catch (const std::exception& error) {
  return error.what();
}

/// One backend's process, and the pipe for its result.
struct Attempt {
  pid_t child = -1;
  UniqueFd answer;
  std::string text;

  [[nodiscard]] bool is_over() const { return !answer; }
};

[[noreturn]] void answer_in_child(const Backend& backend, int writer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int answer = ::dup2(writer, STDERR_FILENO + 1);
  ::close_range(STDERR_FILENO + 2, ~0U, 0);  // other attempts' pipes
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const std::string reason = why_no_echo(backend);
  const std::string_view text = reason.empty() ? kPassed : std::string_view(reason);
  const ssize_t written =
      ::write(answer, text.data(), std::min(text.size(), std::size_t{PIPE_BUF}));
  ::_exit(written > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/// Starts the process. Without a descriptor or a process left, the attempt is over and has failed.
Attempt begin(const Backend& backend) {
  Attempt attempt;
  try {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    attempt.child = checked(::fork(), "fork");
    if (attempt.child == 0) answer_in_child(backend, writer.get());
    attempt.answer = std::move(reader);
  } catch (const std::system_error& error) {
    attempt.text = explain(error);
  }
  return attempt;
}

void read_answer(Attempt& attempt) {
  std::array<char, PIPE_BUF> buffer{};
  const ssize_t size = ::read(attempt.answer.get(), buffer.data(), buffer.size());
  if (size > 0) {
    attempt.text.append(buffer.data(), static_cast<std::size_t>(size));
  } else if (size == 0 || errno != EINTR) {
    attempt.answer.reset();
  }
}

/// Waits until all children have closed their pipes, at the latest by ending, or until `deadline`.
void wait_for_answers(std::span<Attempt> attempts, Clock::time_point deadline) {
  while (true) {
    std::vector<pollfd> waited;  // only open ones: poll(2) accepts no more than RLIMIT_NOFILE
    std::vector<Attempt*> waiting;
    for (Attempt& one : attempts) {
      if (one.is_over()) continue;
      waited.push_back({one.answer.get(), POLLIN, 0});
      waiting.push_back(&one);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (waited.empty() || left.count() <= 0) return;
    if (::poll(waited.data(), waited.size(), static_cast<int>(left.count())) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    for (std::size_t i = 0; i < waited.size(); ++i) {
      if (waited[i].revents != 0) read_answer(*waiting[i]);
    }
  }
}

LiveEcho end(Attempt& attempt, std::chrono::milliseconds patience) {
  const bool timed_out = !attempt.is_over();
  if (timed_out) ::kill(attempt.child, SIGKILL);
  if (attempt.child < 0) return {false, attempt.text};
  int status = 0;
  while (::waitpid(attempt.child, &status, 0) < 0 && errno == EINTR) {
  }
  if (timed_out) return {false, fmt::format("no echo within {} ms", patience.count())};
  if (WIFSIGNALED(status)) {
    return {false, fmt::format("the server ended with {}", ::strsignal(WTERMSIG(status)))};
  }
  if (attempt.text == kPassed) return {true, ""};
  return {false, attempt.text.empty() ? "the server ended without a report" : attempt.text};
}

}  // namespace

std::vector<LiveEcho> try_live_echoes(std::span<const Backend* const> backends,
                                      std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::vector<Attempt> attempts;
  attempts.reserve(backends.size());
  for (const Backend* backend : backends) attempts.push_back(begin(*backend));
  wait_for_answers(attempts, deadline);
  std::vector<LiveEcho> echoes;
  echoes.reserve(attempts.size());
  for (Attempt& one : attempts) echoes.push_back(end(one, patience));
  return echoes;
}

}  // namespace muxlab
