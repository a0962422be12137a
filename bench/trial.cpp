#include "bench/trial.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "backends/failure.hpp"
#include "bench/canary.hpp"
#include "bench/conditions.hpp"
#include "bench/process.hpp"
#include "bench/rig/local_sides.hpp"
#include "bench/runqueue.hpp"
#include "bench/trial_sample.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using std::chrono::nanoseconds;

/// The trial cannot be finished, and why.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string in_ns(nanoseconds duration) { return fmt::format("{}ns", duration.count()); }

/// Where client and server meet when the one tells the other what is ready; empty for all who wait.
std::string oracle_board(const Cell& cell) {
  if (cell.backend != "oracle") return "";
  const auto name = fmt::format("muxlab-bench-{}.oracle", ::getpid());
  return std::filesystem::temp_directory_path() / name;
}

Command server_command(const TrialSetup& setup, const Cell& cell, std::vector<int> processors) {
  std::vector<std::string> words = serve_words(setup.program, cell);
  words.insert(words.end(), {"--stats", "-"});
  if (cell.unix_sockets) {
    const auto name = fmt::format("muxlab-bench-{}.socket", ::getpid());
    words.insert(words.end(), {"--unix", std::filesystem::temp_directory_path() / name});
  } else {
    words.insert(words.end(), {"--port", "0"});
  }
  if (const std::string board = oracle_board(cell); !board.empty()) {
    words.insert(words.end(), {"--oracle", board});
  }
  if (setup.time_calls) words.emplace_back("--time-calls");
  return {std::move(words), std::move(processors), {}};
}

std::size_t client_threads(const Cell& cell, const std::vector<int>& processors) {
  if (!oracle_board(cell).empty()) return 1;  // one tells
  return std::clamp<std::size_t>(processors.size(), 1, cell.connections);
}

Command client_command(const TrialSetup& setup, const Cell& cell, const std::string& address,
                       std::vector<int> processors) {
  std::vector<std::string> words = {setup.program, "load", "--connect", address, "--json"};
  const auto add = [&words](const char* option, const std::string& value) {
    words.insert(words.end(), {option, value});
  };
  add("--connections", fmt::to_string(cell.connections));
  add("--idle", fmt::to_string(cell.idle));
  add("--size", fmt::to_string(cell.size_bytes));
  if (cell.depth > 0) add("--depth", fmt::to_string(cell.depth));
  if (cell.rate_per_s > 0) add("--rate", fmt::to_string(cell.rate_per_s));
  if (cell.churn > 0) add("--churn", fmt::to_string(cell.churn));
  if (cell.backend != "oracle") add("--engine", cell.engine);
  add("--threads", fmt::to_string(client_threads(cell, processors)));
  if (const std::string board = oracle_board(cell); !board.empty()) add("--oracle", board);
  add("--warmup", in_ns(setup.warmup));
  add("--duration", in_ns(setup.window));
  add("--announce", fmt::to_string(kAnnounceFd));
  return {std::move(words), std::move(processors), {}};
}

std::vector<int> joined(const Processors& processors) {
  std::vector<int> all = processors.server;
  all.insert(all.end(), processors.client.begin(), processors.client.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Of proc_pid_statm(5), its second field.
std::optional<double> resident_bytes(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  double all_pages = 0, resident_pages = 0;
  if (!(statm >> all_pages >> resident_pages)) return std::nullopt;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// One trial under way. Its destructor ends what still runs.
class Trial {
 public:
  Trial(const TrialSetup& setup, const Cell& cell, const Processors& processors)
      : setup_(setup),
        cell_(cell),
        processors_(processors),
        both_sides_(joined(processors)),
        before_(read_conditions(both_sides_, setup.root)),
        canary_before_ns_(canary_ns(processors)),
        server_(server_command(setup, cell, processors.server)) {}

  TrialOutcome run() {
    const std::string address = listening_address();
    client_.emplace(client_command(setup_, cell_, address, processors_.client));
    await_announcement("begin", setup_.warmup);
    const Moment begin = now();
    await_announcement("end", setup_.window);
    const Moment end = now();
    TrialOutcome outcome = client_outcome();
    add_server_metrics(outcome.metrics, begin.server, end.server, cell_, processors_.server.size());
    if (const int code = end_process(server_, setup_.patience); code != 0) {
      throw Broken(how_it_ended("server", server_));
    }
    add_surroundings(outcome.metrics, begin, end);
    return outcome;
  }

 private:
  /// One end of the timed window, as seen from outside of the client.
  struct Moment {
    ServerSample server;
    Conditions conditions;
    std::optional<double> resident_bytes;
  };

  Moment now() {
    return {sample_server(), read_conditions(both_sides_, setup_.root),
            resident_bytes(server_.pid())};
  }

  void add_surroundings(Metrics& metrics, const Moment& begin, const Moment& end) {
    const double elapsed_s = (end.server.monotonic_ns - begin.server.monotonic_ns) / 1e9;
    const double own_cpu_s =
        (end.server.cpu_ns - begin.server.cpu_ns +
         metrics[Metric::client_cpu_ns_per_echo] * metrics[Metric::echoes_per_s] * elapsed_s) /
        1e9;
    add_shares_of_others(metrics, begin.conditions, end.conditions, elapsed_s, own_cpu_s,
                         both_sides_.size());
    constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();
    metrics[Metric::server_resident_bytes] = end.resident_bytes.value_or(kNotKnown);
    metrics[Metric::kernel_slab_bytes] =
        end.conditions.slab_bytes.value_or(kNotKnown) - before_.slab_bytes.value_or(kNotKnown);
    // These two also happen while connections are made.
    add_counted(metrics, before_, read_conditions(both_sides_, setup_.root));
    metrics[Metric::canary_ns] = std::max(canary_before_ns_, canary_ns(processors_));
  }

  /// From "listening on 127.0.0.1:40321 backend=poll ...".
  std::string listening_address() {
    constexpr std::string_view prefix = "listening on ";
    const std::string line = next_line("server", server_, server_.output(), "its address", {});
    if (!line.starts_with(prefix)) throw Broken(fmt::format("server said \"{}\" first", line));
    return line.substr(prefix.size(), line.find(' ', prefix.size()) - prefix.size());
  }

  void await_announcement(std::string_view name, nanoseconds expected) {
    const std::string line = next_line("client", *client_, client_->announcements(),
                                       fmt::format("its {}", name), expected);
    if (!line.starts_with(name)) {
      throw Broken(fmt::format("client announced \"{}\" instead of \"{}\"", line, name));
    }
  }

  ServerSample sample_server() {
    server_.send(SIGUSR1);
    const std::string line = next_line("server", server_, server_.output(), "its counters", {});
    ServerSample sample = parse_server_sample(line);
    sample.runqueue_wait_ns = runqueue_wait_ns(server_.pid());
    return sample;
  }

  TrialOutcome client_outcome() {
    await("client", "its end", {}, [this] { return client_->exit_code().has_value(); });
    const std::string& text = client_->output().text();
    if (text.empty()) throw Broken(how_it_ended("client", *client_));
    TrialOutcome outcome;
    const ClientVerdict client =
        add_client_metrics(outcome.metrics, text, processors_.client.size());
    if (client_->exit_code() == static_cast<int>(ExitCode::untrusted)) {
      outcome.status = TrialStatus::untrusted;
      outcome.reason = client.doubts;
    } else if (client_->exit_code() != 0) {
      outcome.status = TrialStatus::failed;
      outcome.reason = fmt::format("client counted errors: {}", client.errors_by_kind);
    } else if (!(outcome.metrics[Metric::echoes_per_s] > 0)) {
      throw Broken("no echo came back during the timed window");
    }
    return outcome;
  }

  std::string next_line(std::string_view who, Process& writer, PipeReader& reader,
                        std::string_view what, nanoseconds expected) {
    std::optional<std::string> line;
    await(who, what, expected, [&] {
      line = reader.take_line();
      return line || writer.exit_code();
    });
    if (!line) throw Broken(how_it_ended(who, writer));
    return *line;
  }

  /// A server that ends ends the trial, whoever is waited for.
  void await(std::string_view who, std::string_view what, nanoseconds expected,
             const std::function<bool()>& happened) {
    const auto deadline = Clock::now() + expected + setup_.patience;
    bool done = false;
    const auto over = [&] { return (done = happened()) || server_.exit_code(); };
    const Wake wake = client_ ? wait_for({&server_, &*client_}, setup_.interrupt, deadline, over)
                              : wait_for({&server_}, setup_.interrupt, deadline, over);
    if (wake == Wake::interrupted) throw Interrupted();
    if (wake == Wake::deadline) {
      throw Broken(fmt::format("{} did not give {} within {}", who, what,
                               cli::show_duration(expected + setup_.patience)));
    }
    if (!done) throw Broken(how_it_ended("server", server_));
  }

  static std::string how_it_ended(std::string_view who, const Process& process) {
    const std::string words = process.last_words();
    return fmt::format("{} ended with code {}: {}", who, process.exit_code().value_or(-1),
                       words.empty() ? "it gave no reason" : words);
  }

  const TrialSetup& setup_;
  const Cell& cell_;
  const Processors& processors_;
  const std::vector<int> both_sides_;
  const Conditions before_;
  const double canary_before_ns_;
  Process server_;
  std::optional<Process> client_;
};

TrialOutcome failed(std::string reason) {
  return {TrialStatus::failed, std::move(reason), Metrics()};
}

}  // namespace

std::optional<TrialOutcome> run_trial(const TrialSetup& setup, const Cell& cell,
                                      const Processors& processors) {
  try {
    return Trial(setup, cell, processors).run();
  } catch (const Interrupted&) {
    return std::nullopt;
  } catch (const Broken& broken) {
    return failed(broken.what());
  } catch (const ForeignReport& report) {
    return failed(report.what());
  }
}

}  // namespace muxlab
