#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/load/load.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

/// Returns the quotient, or null if the divisor is not positive.
Json ratio(double dividend, double divisor) {
  return divisor > 0 ? Json(dividend / divisor) : Json();
}

Json latency_json(const Histogram& latency) {
  Json json = Json::object();
  const bool is_empty = latency.count() == 0;
  const auto put = [&](const char* name, auto value) {
    json[name] = is_empty ? Json() : Json(value);
  };
  put("p50", latency.value_at_percentile(50));
  put("p90", latency.value_at_percentile(90));
  put("p99", latency.value_at_percentile(99));
  put("p99_9", latency.value_at_percentile(99.9));
  put("max", latency.max());
  put("mean", latency.mean());
  put("p25", latency.value_at_percentile(25));
  put("p75", latency.value_at_percentile(75));
  put("p95", latency.value_at_percentile(95));
  put("p99_99", latency.value_at_percentile(99.99));
  return json;
}

/// Returns Jain's index: 1 if all connections completed equally many messages, 1/n if one of n
/// completed all. Null with churn.
Json fairness_json(const LoadOptions& options, const LoadTally& tally) {
  if (options.churn) return {};
  return ratio(tally.share_sum * tally.share_sum, tally.shares * tally.share_square_sum);
}

/// Returns the share of the window that a thread waited for a processor; null if unknown.
Json runqueue_wait_share(const LoadOptions& options, const LoadReport& report) {
  if (!report.runqueue_wait) return {};
  return ratio(seconds(*report.runqueue_wait),
               seconds(report.window) * static_cast<double>(options.threads));
}

/// Returns the additional keys of an open loop.
Json open_loop_json(const LoadOptions& options, const LoadReport& report) {
  const LoadTally& tally = report.tally;
  return {
      {"rate_asked", *options.rate},
      {"gaps", gaps_name(options.gaps)},
      {"seed", options.seed},
      {"offered", tally.offered},
      {"offered_per_s", ratio(static_cast<double>(tally.offered), seconds(report.window))},
      {"unsent", tally.unsent},
      {"unanswered", tally.unanswered},
      {"latency_from_send_ns", latency_json(tally.latency_from_send_ns)},
      {"send_lag_ns", latency_json(tally.send_lag_ns)},
  };
}

/// Returns the connections whose first echo came back inside the window, with churn.
std::uint64_t opened_of(const LoadTally& tally) {
  return tally.first_echo_ns.count() + tally.first_echo_ns.dropped();
}

/// Returns the additional keys of churn.
Json churn_json(const LoadOptions& options, const LoadReport& report) {
  const LoadTally& tally = report.tally;
  const std::uint64_t opened = opened_of(tally);
  return {
      {"churn", *options.churn},
      {"connections_opened", opened},
      {"connections_closed", tally.closed},
      {"connections_per_s", ratio(static_cast<double>(opened), seconds(report.window))},
      {"connections_without_port", tally.without_port},
      {"connections_without_backlog", tally.without_backlog},
      {"first_echo_ns", latency_json(tally.first_echo_ns)},
  };
}

using Reasons = std::vector<std::string>;

/// Returns the sum over all messages of the time that they should be in flight inside the window.
double flight_ns(const LoadOptions& options, const LoadReport& report) {
  return static_cast<double>(options.connections * options.depth) *
         static_cast<double>(report.window.count());
}

std::string show_ns(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.1f} us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.2f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

/// Warns of a stalled server. A closed loop sends little during a stall, so the percentiles do not
/// show it.
void doubt_stall(const LoadReport& report, Reasons& reasons) {
  constexpr double kLeast_ns = 200e6;
  const Histogram& latency = report.tally.latency_ns;
  const auto longest_ns = static_cast<double>(latency.max());
  const auto window_ns = static_cast<double>(report.window.count());
  if (latency.count() == 0 || longest_ns <= std::max(kLeast_ns, window_ns / 10)) return;
  if (longest_ns <= 3 * latency.mean()) return;  // all take long
  reasons.push_back(
      fmt::format("a message took {} of a window of {}: the server stood still, and a closed loop "
                  "shows little of that: measure with --rate",
                  show_ns(longest_ns), show_ns(window_ns)));
}

void doubt_closed_loop(const LoadOptions& options, const LoadReport& report, Reasons& reasons) {
  constexpr double kTolerance = 0.03;
  const LoadTally& tally = report.tally;
  if (const auto ratio = littles_law_ratio(options, report)) {
    const double expected =
        1 + static_cast<double>(tally.latency_outside_ns) / flight_ns(options, report);
    if (std::abs(*ratio - expected) > kTolerance) {
      reasons.push_back(fmt::format(
          "latency times throughput is {:.1f} % of the {} messages that were to be in flight",
          100 * (*ratio - expected + 1), options.connections * options.depth));
    }
  }
  doubt_stall(report, reasons);
  if (tally.without_port > 0) {
    reasons.push_back(
        fmt::format("{} connections had to wait for a port: there were fewer than --connections {}",
                    tally.without_port, options.connections));
  }
}

void doubt_open_loop(const LoadReport& report, Reasons& reasons) {
  constexpr std::uint64_t kUnderWay = 10;  // so many missing echoes are never a backlog
  constexpr std::uint64_t kLeastLag_ns = 50'000;
  const LoadTally& tally = report.tally;
  if (tally.offered == 0) reasons.emplace_back("no message was due: measure for longer");
  if (tally.echoes + std::max(tally.offered / 100, kUnderWay) < tally.offered) {
    reasons.push_back(fmt::format("{} messages were due and {} came back: less than 99 %",
                                  tally.offered, tally.echoes));
  }
  const std::uint64_t lag_ns = tally.send_lag_ns.value_at_percentile(99);
  const std::uint64_t latency_ns = tally.latency_ns.value_at_percentile(99);
  if (lag_ns > std::max(kLeastLag_ns, latency_ns / 4)) {
    reasons.push_back(fmt::format(
        "the client sent too late: 1 % of its messages by more than {:.0f} us, p99 is {:.0f} us",
        static_cast<double>(lag_ns) / 1e3, static_cast<double>(latency_ns) / 1e3));
  }
}

std::string show_p99(const Histogram& histogram) {
  return show_ns(static_cast<double>(histogram.value_at_percentile(99)));
}

std::string show_model(const LoadOptions& options) {
  if (options.churn) {
    return fmt::format("closed loop, depth {}, {} echo{} per connection", options.depth,
                       *options.churn, *options.churn == 1 ? "" : "es");
  }
  if (!options.rate) return fmt::format("closed loop, depth {}", options.depth);
  return fmt::format("open loop, {}/s, {} gaps, seed {}{}", *options.rate, gaps_name(options.gaps),
                     options.seed,
                     options.depth == kNoLimit ? "" : fmt::format(", depth {}", options.depth));
}

std::string show_bytes(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string show_errors(const LoadErrors& errors) {
  std::string text;
  for (std::size_t i = 0; i < kLoadErrorNames.size(); ++i) {
    const std::uint64_t count = errors.of(static_cast<LoadError>(i));
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kLoadErrorNames[i], count);
  }
  return text;
}

/// Returns a line of a name and its value.
std::string line(std::string_view name, const std::string& value) {
  return fmt::format("{:<13}{}\n", name, value);
}

/// Returns the lines of a histogram; empty if it is.
std::string latency_lines(std::string_view name, const Histogram& latency, std::string_view since) {
  if (latency.count() == 0) return {};
  std::string text = line(name, fmt::format("mean {}{}", show_ns(latency.mean()), since));
  for (const auto& [which, percentile] :
       {std::pair{"p50", 50.0}, std::pair{"p90", 90.0}, std::pair{"p99", 99.0},
        std::pair{"p99.9", 99.9}, std::pair{"max", 100.0}}) {
    const auto value = static_cast<double>(latency.value_at_percentile(percentile));
    text += line("", fmt::format("{:<6} {:>10}", which, show_ns(value)));
  }
  return text;
}

std::string echo_lines(const LoadOptions& options, const LoadReport& report) {
  const LoadTally& tally = report.tally;
  std::string text =
      line("echoes", fmt::format("{} in {:.3f} s", tally.echoes, seconds(report.window)));
  if (tally.echoes > 0) {
    const auto echoes = static_cast<double>(tally.echoes);
    const double rate = echoes / seconds(report.window);
    text += line("rate", fmt::format("{:.0f} echo/s, {}/s each way", rate,
                                     show_bytes(rate * static_cast<double>(options.size_bytes))));
    text += latency_lines("latency", tally.latency_ns, "");
    const double cpu_ns = static_cast<double>(report.client_cpu.count()) / echoes;
    text += line("client CPU", show_ns(cpu_ns) + " per echo");
  }
  if (const auto in_flight = littles_law_ratio(options, report)) {
    text += line("in flight", fmt::format("{:.1f} % of {}, by Little's law", 100 * *in_flight,
                                          options.connections * options.depth));
  }
  return text;
}

std::string churn_lines(const LoadReport& report) {
  const LoadTally& tally = report.tally;
  const double window_s = seconds(report.window);
  const std::uint64_t opened = opened_of(tally);
  const double per_s = window_s > 0 ? static_cast<double>(opened) / window_s : 0;
  std::string text = line(
      "connections", fmt::format("{} opened and {} closed, {:.0f}/s", opened, tally.closed, per_s));
  text += latency_lines("first echo", tally.first_echo_ns, " since connect");
  if (tally.without_port + tally.without_backlog > 0) {
    text += line("waited", fmt::format("{} connections for a port, {} for room in the backlog",
                                       tally.without_port, tally.without_backlog));
  }
  return text;
}

std::string open_loop_lines(const LoadTally& tally) {
  return line("late",
              fmt::format("sent p99 {} after it was due; from then on p99 {}",
                          show_p99(tally.send_lag_ns), show_p99(tally.latency_from_send_ns))) +
         line("offered", fmt::format("{} messages, {} not sent, {} not answered", tally.offered,
                                     tally.unsent, tally.unanswered));
}

}  // namespace

Json load_json(const LoadOptions& options, const LoadReport& report) {
  const LoadTally& tally = report.tally;
  const auto echoes = static_cast<double>(tally.echoes);
  Json by_kind = Json::object();
  for (std::size_t i = 0; i < kLoadErrorNames.size(); ++i) {
    by_kind[std::string(kLoadErrorNames[i])] = tally.errors.of(static_cast<LoadError>(i));
  }
  Json json = {
      {"schema_version", 1},
      {"run_status", report.interrupted ? "interrupted" : "complete"},
      {"server", options.connect},
      {"model", options.rate ? "open" : "closed"},
      {"connections", options.connections},
      {"idle", options.idle},
      {"size_bytes", options.size_bytes},
      {"depth", options.depth == kNoLimit ? Json() : Json(options.depth)},
      {"threads", options.threads},
      {"connect_s", seconds(report.connecting)},
      {"duration_s", seconds(report.window)},
      {"echoes", tally.echoes},
      {"echoes_per_s", ratio(echoes, seconds(report.window))},
      {"bytes_per_s",
       ratio(echoes * static_cast<double>(options.size_bytes), seconds(report.window))},
      {"latency_ns", latency_json(tally.latency_ns)},
      {"latencies_out_of_range", tally.latency_ns.dropped()},
      {"client_cpu_ns_per_echo", ratio(static_cast<double>(report.client_cpu.count()), echoes)},
      {"client_runqueue_wait_share", runqueue_wait_share(options, report)},
      {"fairness", fairness_json(options, tally)},
      {"bytes_sent", tally.bytes_sent},
      {"bytes_received", tally.bytes_received},
      {"bytes_missing", tally.bytes_missing},
      {"errors", tally.errors.total()},
      {"errors_by_kind", by_kind},
  };
  const auto littles_law = littles_law_ratio(options, report);
  json["engine"] = engine_name(report.engine);
  json["littles_law_ratio"] = littles_law ? Json(*littles_law) : Json();
  json["not_trusted"] = why_not_trusted(options, report);
  if (options.churn) json.update(churn_json(options, report));
  if (options.rate) json.update(open_loop_json(options, report));
  return json;
}

std::string load_text(const LoadOptions& options, const LoadReport& report) {
  std::string text = line("server", options.connect);
  text += line("model", show_model(options) + (report.interrupted ? ", interrupted" : ""));
  text += line("load",
               fmt::format("{} connections and {} idle, {} B, {} thread{}, {}", options.connections,
                           options.idle, options.size_bytes, options.threads,
                           options.threads == 1 ? "" : "s", engine_name(report.engine)));
  text += line("connected in", fmt::format("{:.3f} s", seconds(report.connecting)));
  text += echo_lines(options, report);
  if (options.churn) text += churn_lines(report);
  if (options.rate) text += open_loop_lines(report.tally);
  const std::string errors = show_errors(report.tally.errors);
  return text + line("errors", errors.empty() ? "0" : errors);
}

std::string load_failure(const LoadReport& report) {
  const LoadErrors& errors = report.tally.errors;
  if (errors.total() == 0) return {};
  return fmt::format("{} connection{} failed ({}); first: {}", errors.total(),
                     errors.total() == 1 ? "" : "s", show_errors(errors), report.tally.first_error);
}

std::optional<double> littles_law_ratio(const LoadOptions& options, const LoadReport& report) {
  if (options.rate || options.churn || report.window.count() <= 0) return std::nullopt;
  const Histogram& latency = report.tally.latency_ns;
  return static_cast<double>(latency.count()) * latency.mean() / flight_ns(options, report);
}

std::vector<std::string> why_not_trusted(const LoadOptions& options, const LoadReport& report) {
  Reasons reasons;
  options.rate ? doubt_open_loop(report, reasons) : doubt_closed_loop(options, report, reasons);
  return reasons;
}

}  // namespace muxlab
