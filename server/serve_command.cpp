#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/parts/say.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/verbs.hpp"
#include "server/serve_output.hpp"
#include "server/server.hpp"
#include "server/stats_json.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

struct ServeCommand {
  std::string backend = "epoll-lt";
  std::optional<std::string> threading;
  std::string notify = "eventfd";
  std::optional<std::string> rearm;
  std::optional<std::string> unix_path;
  std::optional<std::string> stats_path;
  std::string when_full = "wait";
  std::uint64_t port = 0;
  ServeOptions options;
};

const Backend& backend_named(const std::string& name) {
  if (const Backend* backend = find_backend(name)) return *backend;
  std::string names;
  for (const Backend* backend : backends()) names += fmt::format(" {}", backend->name);
  throw Failure(ExitCode::usage, fmt::format("unknown backend {}: there are{}", name, names));
}

Threading threading_named(const std::string& name) {
  return std::ranges::find(kThreadingModels, name, &ThreadingModel::name)->threading;
}

Threading default_threading(const ServeCommand& command) {
  if (command.options.threads == 1) return Threading::single;
  return command.unix_path ? Threading::acceptor : Threading::reuseport;
}

ServeOptions complete(const ServeCommand& command, const Backend& backend) {
  ServeOptions options = command.options;
  options.threading =
      command.threading ? threading_named(*command.threading) : default_threading(command);
  options.notify = command.notify == "pipe" ? Notify::pipe : Notify::eventfd;
  const bool worker_rearms = command.rearm
                                 ? *command.rearm == "worker"
                                 : why_no_worker_rearms(backend, options.threading).empty();
  options.rearm = worker_rearms ? Rearm::worker : Rearm::waiter;
  options.when_full = command.when_full == "refuse" ? WhenFull::refuse : WhenFull::wait;
  options.port = static_cast<std::uint16_t>(command.port);
  options.unix_path = command.unix_path;
  return options;
}

/// Blocks the signals that control the server. Returns a signalfd(2), which the main thread reads.
UniqueFd block_and_watch_signals() {
  sigset_t handled;
  ::sigemptyset(&handled);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) ::sigaddset(&handled, signal);
  ::sigprocmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // the reader of stdout may exit
  return UniqueFd(checked(::signalfd(-1, &handled, SFD_CLOEXEC), "signalfd"));
}

void let_signals_end_the_program() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Serves, and drains at the first SIGINT or SIGTERM. A second signal must end the program at once,
/// whatever its threads do: returns its exit code.
std::optional<ExitCode> serve_until_the_end(Server& server, int signals, ServeOutput& output) {
  for (bool stopping = false;;) {
    std::array<pollfd, 3> waited{
        {{server.ended(), POLLIN, 0}, {signals, POLLIN, 0}, {output.waits_for(), POLLOUT, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) throw_errno("poll");
    if (waited[0].revents != 0) return std::nullopt;
    if (waited[2].revents != 0) output.flush();
    if (waited[1].revents == 0) continue;
    signalfd_siginfo signal{};
    if (::read(signals, &signal, sizeof signal) < 0) continue;
    if (signal.ssi_signo == SIGUSR1) {
      output.write(server.stats());
    } else if (stopping) {
      return signal.ssi_signo == SIGTERM ? ExitCode::terminated : ExitCode::interrupted;
    } else {
      stopping = true;
      server.begin_stop();
    }
  }
}

/// Returns the board of the oracle; nothing for any other backend.
std::optional<OracleBoard> board_for(const Backend& backend, const ServeOptions& options) {
  if (!is_oracle(backend)) {
    if (!options.oracle) return std::nullopt;
    throw Failure(ExitCode::usage,
                  fmt::format("--oracle is not for {}: use --backend oracle", backend.name));
  }
  if (!options.oracle) {
    throw Failure(ExitCode::usage,
                  "--backend oracle needs --oracle FILE, and clients need the same FILE");
  }
  if (options.unix_path) {
    throw Failure(ExitCode::usage,
                  "--backend oracle is for TCP, not for --unix: its client names a connection by "
                  "address and port");
  }
  return OracleBoard::create(*options.oracle);
}

void warn_of_everyone(const ServeOptions& options, std::span<const ListenAddress> addresses) {
  if (!std::ranges::any_of(addresses, is_open_to_everyone)) return;
  say(fmt::format(
      "--host {}: every host that reaches this machine can connect; 127.0.0.1 and ::1 are "
      "for this machine alone",
      options.host));
}

ExitCode serve(const ServeCommand& command) {
  const Backend& backend = backend_named(command.backend);
  const ServeOptions options = complete(command, backend);
  ::signal(SIGUSR1, SIG_IGN);  // until there are counters
  ServeOutput output(command.stats_path, reading_json(backend, options));
  // Before signals are blocked: a resolver may take long, and there is no connection to drain yet.
  const std::vector<ListenAddress> addresses = resolve(address_of(options));
  const UniqueFd signals = block_and_watch_signals();
  const std::optional<OracleBoard> board = board_for(backend, options);
  Server server(backend, options, addresses);
  warn_of_everyone(options, addresses);
  output.say_listening(fmt::format("listening on {} backend={} threading={} threads={}\n",
                                   server.address(), backend.name, name_of(options.threading),
                                   options.threads));
  const std::optional<ExitCode> cut_short = serve_until_the_end(server, signals.get(), output);
  let_signals_end_the_program();  // in case a thread hangs after another failed
  if (!cut_short) server.stop();
  output.write(server.stats());
  const bool is_complete = output.finish();
  if (cut_short) std::_Exit(static_cast<int>(*cut_short));
  return is_complete ? ExitCode::ok : ExitCode::unavailable;
}

void explain_serve(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "It prints one line when it listens, \"listening on ADDRESS backend=NAME "
           "threading=MODEL threads=N\". On SIGTERM or SIGINT it sends all pending echoes, waits "
           "for the clients to end, at most as long as --drain says, and ends. A second signal "
           "ends it at once.",
       .examples = {{"muxlab serve --backend epoll-et --port 4711", "on a port of your choice"},
                    {"muxlab serve --backend io-uring --threads 2 --stats -",
                     "two threads, and the counters as JSON at the end"}}});
}

}  // namespace

void add_serve(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<ServeCommand>();
  ServeOptions& options = command->options;
  CLI::App& verb = cli::add_verb(program, "serve", "Run the echo server on one backend",
                                 [command, &exit_code] { exit_code = serve(*command); });
  cli::add_text(verb, "--backend", command->backend, "NAME",
                "Way of waiting; muxlab inspect lists them")
      .suggests(names_of(backends()));
  cli::add_count(verb, "--threads", options.threads, {1, 1024}, "Threads that serve");
  cli::add_text(verb, "--threading", command->threading, "MODEL",
                "single, reuseport, shared, acceptor or half-sync; default: single for one thread, "
                "else reuseport, or acceptor with --unix")
      .one_of(names_of_models());
  cli::add_text(verb, "--notify", command->notify, "KIND",
                "How an acceptor wakes the thread that gets a connection: eventfd or pipe")
      .one_of({"eventfd", "pipe"});
  cli::add_text(verb, "--rearm", command->rearm, "THREAD",
                "half-sync: which thread re-arms a connection after serving it: waiter or worker; "
                "worker saves system calls and is the default where the mechanism allows it")
      .one_of({"waiter", "worker"});
  cli::add_text(verb, "--host", options.host, "ADDRESS",
                "Address or host name to listen on; of several, the first that this machine has");
  const auto port = cli::add_count(verb, "--port", command->port, {0, 65535},
                                   "Port to listen on; 0 finds a free one");
  cli::add_text(verb, "--unix", command->unix_path, "PATH", "Listen on a unix socket instead")
      .excludes(port);
  cli::add_count(verb, "--max-connections", options.max_connections, {0, 10'000'000},
                 "Connections served at once; 0: as many as there are descriptors for");
  cli::add_text(
      verb, "--when-full", command->when_full, "POLICY",
      "At --max-connections: leave new connections in the backlog (wait) or close them (refuse)")
      .one_of({"wait", "refuse"});
  cli::add_duration(verb, "--idle-timeout", options.idle_timeout,
                    "Close a connection when no byte moves either way for that long; 0: never");
  cli::add_duration(verb, "--drain", options.drain,
                    "How long to wait for clients to close when the server stops");
  cli::add_text(
      verb, "--oracle", options.oracle, "FILE",
      "Board on which muxlab load --oracle FILE reports ready connections to --backend oracle");
  cli::add_descriptor(verb, "--counters", options.counters);
  cli::add_flag(verb, "--time-calls", options.time_calls,
                "Add up the time in system calls, as call_ns of --stats; costs some itself");
  cli::add_text(verb, "--stats", command->stats_path, "FILE",
                "Write counters as JSON at the end, and on each SIGUSR1; - is stdout");
  explain_serve(verb);
}

}  // namespace muxlab
