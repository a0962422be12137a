#include "server/inspect/behaviour.hpp"

#include <event2/event.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <future>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "backends/parts/failure.hpp"
#include "server/inspect/behaviour_scene.hpp"
#include "server/inspect/behaviour_socket.hpp"
#include "server/inspect/behaviour_watcher.hpp"

namespace muxlab::behaviour {
namespace {

using AtlasJson = nlohmann::ordered_json;

/// Ignores SIGPIPE while it lives: write(2) to a pipe without a reader raises it besides EPIPE.
class IgnoredSigpipe {
 public:
  IgnoredSigpipe() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before_);
  }
  IgnoredSigpipe(const IgnoredSigpipe&) = delete;
  IgnoredSigpipe& operator=(const IgnoredSigpipe&) = delete;
  ~IgnoredSigpipe() { ::sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

/// Runs `body` on a thread of its own, because the end of a ring may interrupt its thread again.
/// Binds the thread to one processor, so that its loopback packets keep their order.
template <typename Body>
auto apart(Body body) {
  return std::async(std::launch::async,
                    [&] {
                      const int processor = ::sched_getcpu();
                      if (processor >= 0 && processor < CPU_SETSIZE) {
                        cpu_set_t only;
                        CPU_ZERO(&only);
                        CPU_SET(static_cast<std::size_t>(processor), &only);
                        ::sched_setaffinity(0, sizeof only, &only);
                      }
                      return body();
                    })
      .get();
}

/// The results of one state in one column.
struct Observed {
  Watcher::Report first, again;
  std::vector<std::string> next;
};

Observed observe(const State& state, const Column& column) {
  const std::unique_ptr<Watcher> watcher = column.make();
  Scene scene = state.make();
  const int fd = scene.watched.get();
  Observed observed;
  try {
    watcher->watch(fd, state.asks_write);
    if (state.after_watch != nullptr) state.after_watch(scene);
    observed.first = watcher->wait();
    observed.again = watcher->wait();
  } catch (const std::system_error& error) {
    const std::string_view call = error.what();
    observed.first.error =
        fmt::format("{} {}", call.substr(0, call.find(':')), error_name(error.code().value()));
  }
  observed.next = call_next(fd, state.next);
  return observed;
}

/// Returns the meaning of a report to an application, such as "read" or "urgent". All columns use
/// the same names, so they can be compared.
std::set<std::string> meaning_of(const Watcher::Report& report) {
  std::set<std::string> meaning;
  if (!report.error.empty()) meaning.insert("the call fails");
  for (const std::string& event : report.events) {
    std::istringstream words(event);
    for (std::string word; words >> word;) {
      if (word == "NVAL") meaning.insert("the entry is wrong");
      if (word == "PRI" || word == "X") meaning.insert("urgent");
      const bool both = word == "ERR" || word == "HUP";
      if (both || word == "IN" || word == "R" || word == "READ") meaning.insert("read");
      const bool writes = word == "OUT" || word == "W" || word == "WRITE" || word == "ERR";
      if (writes) meaning.insert("write");
    }
  }
  return meaning;
}

AtlasJson report_json(const Watcher::Report& report) {
  return report.error.empty() ? AtlasJson(report.events) : AtlasJson(report.error);
}

std::optional<std::string> why_unavailable(const Column& column) {
  return apart([&]() -> std::optional<std::string> {
    try {
      column.make();
    } catch (const std::runtime_error& error) {  // a Failure or a std::system_error
      return error.what();
    }
    return std::nullopt;
  });
}

/// Returns the columns that work on this machine. Notes all columns, with the reason if missing.
std::vector<Column> available(std::span<const Column> columns, AtlasJson& noted) {
  std::vector<Column> found;
  for (const Column& column : columns) {
    const auto why = why_unavailable(column);
    noted.push_back(
        {{"name", column.name}, {"summary", column.summary}, {"missing", why.value_or("")}});
    if (!why) found.push_back(column);
  }
  return found;
}

/// Returns the reports, whether the first means something else than that of poll(2), and the
/// results of the next calls if they differ from poll's.
AtlasJson cell_json(const Observed& observed, const Observed& by_poll, bool compared) {
  AtlasJson cell = {
      {"reported", report_json(observed.first)},
      {"again", report_json(observed.again)},
      {"differs", compared && meaning_of(observed.first) != meaning_of(by_poll.first)}};
  if (observed.next != by_poll.next) cell["next"] = observed.next;
  return cell;
}

AtlasJson state_json(const State& state, std::span<const Column> columns) {
  std::vector<Observed> observed;
  for (const Column& column : columns) {
    observed.push_back(apart([&] { return observe(state, column); }));
  }
  const auto poll = std::ranges::find(columns, "poll", &Column::name) - columns.begin();
  const Observed& by_poll = observed[static_cast<std::size_t>(poll)];
  AtlasJson cells = AtlasJson::object();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool asks = columns[i].name != kUnaskedColumn;
    cells[std::string(columns[i].name)] = cell_json(observed[i], by_poll, asks);
  }
  return {
      {"name", state.name},     {"explanation", state.explanation},
      {"manual", state.manual}, {"asked", state.asks_write ? "read write urgent" : "read urgent"},
      {"cells", cells},         {"next", by_poll.next}};
}

std::string outcome_of(const Step& step, TcpPair& pair, Watcher& watcher) {
  switch (step.action) {
    case Action::peer_sends:
      peer_sends(pair, step.amount);
      return "";
    case Action::peer_ends:
      peer_ends(pair);
      return "";
    case Action::receive: {
      std::array<char, 64> buffer{};
      return show_received(
          ::recv(pair.ours.get(), buffer.data(), std::min(step.amount, buffer.size()), 0));
    }
    case Action::wait: {
      const Watcher::Report report = watcher.wait();
      if (!report.error.empty()) return report.error;
      return report.events.empty() ? "-" : fmt::format("{}", fmt::join(report.events, ", "));
    }
    case Action::rearm:
      return watcher.rearm() ? "" : "nothing to arm";
  }
  return "";
}

std::vector<std::string> run(const Sequence& sequence, const Column& column) {
  const std::unique_ptr<Watcher> watcher = column.make();
  TcpPair pair = connect_tcp();
  watcher->watch(pair.ours.get(), false);
  std::vector<std::string> outcomes;
  for (const Step& step : sequence.steps) outcomes.push_back(outcome_of(step, pair, *watcher));
  return outcomes;
}

AtlasJson sequence_json(const Sequence& sequence, std::span<const Column> columns) {
  AtlasJson steps = AtlasJson::array();
  for (const Step& step : sequence.steps) {
    steps.push_back({{"step", describe(step)}, {"cells", AtlasJson::object()}});
  }
  for (const Column& column : columns) {
    const auto outcomes = apart([&] { return run(sequence, column); });
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      steps[i]["cells"][std::string(column.name)] = outcomes[i];
    }
  }
  return {{"name", sequence.name},
          {"explanation", sequence.explanation},
          {"manual", sequence.manual},
          {"steps", steps}};
}

std::string kernel_release() {
  utsname names{};
  checked(::uname(&names), "uname");
  return names.release;
}

}  // namespace

nlohmann::ordered_json make_atlas() {
  const IgnoredSigpipe no_sigpipe;
  AtlasJson atlas = {{"schema_version", 1},
                     {"kernel_release", kernel_release()},
                     {"libevent", ::event_get_version()}};
  const auto for_states = available(state_columns(), atlas["state_columns"]);
  for (const State& state : states()) atlas["states"].push_back(state_json(state, for_states));
  const auto for_sequences = available(sequence_columns(), atlas["sequence_columns"]);
  for (const Sequence& sequence : sequences()) {
    atlas["sequences"].push_back(sequence_json(sequence, for_sequences));
  }
  return atlas;
}

}  // namespace muxlab::behaviour
