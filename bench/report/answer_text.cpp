#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "bench/report/answer_files.hpp"
#include "server/cli/text_layout.hpp"

namespace muxlab {
namespace {

constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kHeadingWidth = 13;
constexpr std::size_t kCallsWidth = 8;
constexpr std::size_t kWidestTable = 100;

std::string three_digits(double value) {
  const int decimals = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string in_us(double ns) { return three_digits(ns / 1000) + " us"; }

std::string_view short_verdict(Verdict verdict) {
  static constexpr std::array<std::string_view, 5> kWords = {"same", "less", "more", "?", "?"};
  return kWords[static_cast<std::size_t>(verdict)];
}

std::string percent(double share) {
  return share < 0.1 ? fmt::format("{:.1f}", 100 * share) : fmt::format("{:.0f}", 100 * share);
}

/// "1.05±1% more"
std::string cell_text(const AtLoad& one, Metric metric) {
  if (one.status == Status::failed) return "failed";
  if (one.planned.role == Role::baseline) {
    return std::isnan(one.ns[metric]) ? "-" : in_us(one.ns[metric]);
  }
  if (!one.compared[metric]) return "-";
  const Finding& finding = one.compared[metric]->finding;
  if (!finding.is_known()) return fmt::format("{:.2f} ?", finding.ratio);
  return fmt::format("{}±{:.0f}% {}",
                     fmt::format("{:.{}f}", finding.ratio, finding.ratio < 10 ? 2 : 1),
                     std::ceil(100 * finding.half_width() - 0.5), short_verdict(finding.verdict));
}

/// Two characters of UTF-8 take one column.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t columns = columns_of(text);
  return text + std::string(columns < width ? width - columns : 1, ' ');
}

std::string trimmed_end(std::string line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + '\n';
}

/// Sorts contenders by the mean of their log ratios over the loads, the cheapest first.
std::vector<std::size_t> order_of(const Answer& answer) {
  const auto place = [&](std::size_t index) {
    double sum = 0, count = 0;
    for (const LoadAnswer& load : answer.loads) {
      const auto& compared = load.contenders[index].compared[Metric::cpu];
      if (compared) sum += compared->estimate.log_ratio, ++count;
    }
    return index == 0 ? 0 : count > 0 ? sum / count : std::numeric_limits<double>::max();
  };
  std::vector<std::size_t> order(answer.plan.contenders.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, place);
  std::stable_partition(order.begin(), order.end(),
                        [&](std::size_t i) { return !answer.plan.contenders[i].is_self_check(); });
  return order;
}

/// "2.0" or, where loads differ, "2.0-3.0".
std::string calls_text(std::size_t contender, std::span<const LoadAnswer> loads) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const LoadAnswer& load : loads) {
    const double calls = load.contenders[contender].syscalls_per_echo;
    if (std::isnan(calls)) continue;
    least = std::min(least, calls);
    most = std::max(most, calls);
  }
  if (most == 0) return "-";
  const auto show = [](double calls) { return fmt::format("{:.{}f}", calls, calls < 1 ? 2 : 1); };
  return show(least) == show(most) ? show(most) : show(least) + "-" + show(most);
}

/// "2 threads (half-sync), 100 busy" in pieces, for a narrow column.
std::vector<std::string> pieces_of_name(const std::string& name) {
  std::vector<std::string> pieces = {""};
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_comma = name.compare(i, 2, ", ") == 0;
    if (!is_comma && name.compare(i, 2, " (") != 0) {
      pieces.back() += name[i];
      continue;
    }
    pieces.emplace_back();
    if (is_comma) ++i;
  }
  for (std::string& piece : pieces) piece = piece.substr(0, kHeadingWidth);
  return pieces;
}

/// A load's column: the pieces of its name, and a cell for each contender.
struct LoadColumn {
  LoadColumn(const LoadAnswer& load, std::span<const std::size_t> order, Metric metric)
      : heading(pieces_of_name(name_of_load(load.load.cell))) {
    for (const std::size_t i : order) cells.push_back(cell_text(load.contenders[i], metric));
    for (const auto* texts : {&heading, &cells}) {
      for (const std::string& text : *texts) width = std::max(width, columns_of(text) + 1);
    }
  }
  std::vector<std::string> heading, cells;
  std::size_t width = 0;
};

/// Returns `columns` side by side, below their headings.
std::string side_by_side(const Answer& answer, std::span<const std::size_t> order,
                         std::span<const LoadColumn> columns, std::span<const LoadAnswer> loads) {
  std::size_t heading_lines = 2;
  for (const LoadColumn& column : columns) {
    heading_lines = std::max(heading_lines, column.heading.size());
  }
  std::string text;
  for (std::size_t line = 0; line < heading_lines; ++line) {
    std::string names = padded("", kNameWidth);
    for (const LoadColumn& column : columns) {
      names += padded(line < column.heading.size() ? column.heading[line] : "", column.width);
    }
    text += trimmed_end(names + (line == 0 ? "calls" : line == 1 ? "per echo" : ""));
  }
  for (std::size_t row = 0; row < order.size(); ++row) {
    std::string line = padded(answer.plan.contenders[order[row]].contender.name, kNameWidth);
    for (const LoadColumn& column : columns) line += padded(column.cells[row], column.width);
    text += trimmed_end(line + calls_text(order[row], loads));
  }
  return text;
}

/// Puts as many loads side by side as the width of a table allows, and the others below.
std::string several_loads(const Answer& answer, std::span<const LoadAnswer> loads, Metric metric) {
  const std::vector<std::size_t> order = order_of(answer);
  std::vector<LoadColumn> columns;
  for (const LoadAnswer& load : loads) columns.emplace_back(load, order, metric);
  std::string text;
  for (std::size_t begin = 0; begin < columns.size();) {
    std::size_t end = begin;
    for (std::size_t width = kNameWidth + kCallsWidth;
         end < columns.size() && (end == begin || width + columns[end].width <= kWidestTable);
         ++end) {
      width += columns[end].width;
    }
    if (begin > 0) text += '\n';
    text += side_by_side(answer, order, std::span(columns).subspan(begin, end - begin),
                         loads.subspan(begin, end - begin));
    begin = end;
  }
  return text;
}

/// Nothing is known of the deviation of single blocks.
std::string interval_words(const Finding& finding) {
  if (!finding.is_known()) return "-";
  return fmt::format("{} to {}", three_digits(finding.low), three_digits(finding.high));
}

std::string one_load(const Answer& answer, const LoadAnswer& load, Metric metric) {
  const auto line = [](const auto&... cells) {
    return trimmed_end(fmt::format("{:<20} {:>6}  {:<16} {:<22} {:>9} {:>10}", cells...));
  };
  std::string text =
      line("", "ratio", "interval", "verdict", metric == Metric::cpu ? "CPU" : "time", "calls");
  for (const std::size_t i : order_of(answer)) {
    const AtLoad& one = load.contenders[i];
    const std::string calls =
        std::isnan(one.syscalls_per_echo) ? "-" : fmt::format("{:.2f}", one.syscalls_per_echo);
    const std::string cpu = std::isnan(one.ns[metric]) ? "-" : in_us(one.ns[metric]);
    std::string ratio = one.planned.role == Role::baseline ? "1" : "-", interval;
    std::string verdict = one.planned.role == Role::baseline ? "baseline"
                          : one.status == Status::failed     ? "failed"
                          : one.status == Status::measured   ? "not compared"
                                                             : "not measured";
    if (const auto& compared = one.compared[metric]) {
      ratio = three_digits(compared->finding.ratio);
      interval = interval_words(compared->finding);
      verdict = verdict_with_reason(*compared);
    }
    text += line(one.planned.contender.name, ratio, interval, verdict, cpu, calls);
  }
  return text;
}

/// Names the loads that had too little time for a verdict, whatever the interval.
std::string few_blocks(std::span<const LoadAnswer> loads) {
  for (const LoadAnswer& load : loads) {
    for (const AtLoad& one : load.contenders) {
      if (one.compared[Metric::cpu] && !one.compared[Metric::cpu]->is_enough) {
        return fmt::format(" (or fewer than {} blocks: --for gives more)\n", kFewestBlocks);
      }
    }
  }
  return "\n";
}

std::string words_of_family(const Answer& answer, Metric metric) {
  const std::size_t family = answer.plan.family(metric);
  return family > 1 ? fmt::format("95 % for all {} comparisons together", family)
                    : "with 95 % intervals";
}

/// A table of one metric; empty where nothing of it is compared.
std::string table_of(const Answer& answer, std::span<const LoadAnswer> measured, Metric metric) {
  std::vector<LoadAnswer> loads;
  std::ranges::copy_if(measured, std::back_inserter(loads),
                       [&](const LoadAnswer& load) { return load.has(metric); });
  if (loads.empty() && metric != Metric::cpu) return "";
  if (loads.empty()) loads.assign(measured.begin(), measured.end());
  std::string text = metric_words(metric);
  text[0] = static_cast<char>(std::toupper(text[0]));
  text += fmt::format(", relative to {}; {}\n\n", answer.plan.baseline(),
                      words_of_family(answer, metric));
  if (measured.size() == 1) {
    return text + name_of_load(loads.front().load.cell) + "\n" +
           one_load(answer, loads.front(), metric);
  }
  return text + several_loads(answer, loads, metric);
}

std::string table(const Answer& answer) {
  std::vector<LoadAnswer> measured;
  std::ranges::copy_if(answer.loads, std::back_inserter(measured), &LoadAnswer::is_measured);
  if (measured.empty()) return "No rig was finished: there is nothing to report.\n";
  std::string text;
  for (const Metric metric : kMetrics) {
    const std::string one = table_of(answer, measured, metric);
    if (!text.empty() && !one.empty()) text += '\n';
    text += one;
  }
  if (measured.size() == 1) return text;
  return text + "\nless: cheaper; same: within " +
         fmt::format("{:g}", 100 * answer.plan.same_within) +
         " %; more: more expensive; ?: unclear" + few_blocks(measured);
}

/// "at most 6 %": the largest difference that an unclear finding leaves.
std::string ruled_out(const Finding& finding) {
  const double most = std::max(finding.high, 1 / finding.low) - 1;
  return finding.is_known() ? fmt::format("at most {:.0f} %", std::ceil(100 * most))
                            : std::string("too little data");
}

/// "select (1.08 at 1 busy," "1.00 at 100 busy)"
std::vector<std::string> where_it_depends(const Answer& answer, const std::string& contender) {
  std::vector<std::string> parts;
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      const auto& compared = one.compared[Metric::cpu];
      if (!load.load.is_busy() || one.planned.contender.name != contender || !compared) continue;
      parts.push_back(fmt::format("{}{} at {}", parts.empty() ? contender + " (" : "",
                                  three_digits(compared->finding.ratio),
                                  name_of_load(load.load.cell)));
    }
  }
  parts.back() += ')';
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) parts[i] += ',';
  return parts;
}

/// A contender's pooled ratio, in pieces that may stand on different lines.
std::vector<std::string> pieces_of(const Answer& answer, const Pooled& pooled) {
  const std::string& name = pooled.planned.contender.name;
  if (pooled.finding.verdict == Verdict::depends) return where_it_depends(answer, name);
  if (pooled.finding.verdict == Verdict::unclear) {
    return {fmt::format("{} ({})", name, ruled_out(pooled.finding))};
  }
  return {fmt::format("{} {}", name, ratio_words(pooled.finding))};
}

constexpr std::size_t kLineWidth = 98;

/// `items` side by side in lines, the first of them begun by `first` and the others by `others`.
std::string wrapped(const std::string& first, const std::string& others,
                    std::span<const std::string> items) {
  std::string text, line = first;
  bool is_begun = false;  // the line has an item
  for (const std::string& item : items) {
    if (is_begun && line.size() + 1 + item.size() > kLineWidth) {
      text += trimmed_end(line);
      line = others;
      is_begun = false;
    }
    line += (is_begun ? " " : "") + item;
    is_begun = true;
  }
  return text + trimmed_end(line);
}

std::string summary(const Answer& answer) {
  if (answer.pooled.empty()) return "";
  const auto busy = std::ranges::count_if(answer.plan.loads, &PlannedLoad::is_busy);
  std::string text = fmt::format("\nOver the {} loads without silent connections, against {}:\n",
                                 busy, answer.plan.baseline());
  for (const Verdict verdict : {Verdict::cheaper, Verdict::same, Verdict::more_expensive,
                                Verdict::unclear, Verdict::depends}) {
    std::vector<std::string> items;
    for (const Pooled& one : answer.pooled) {
      if (one.finding.verdict != verdict || one.planned.is_self_check()) continue;
      if (!items.empty()) items.back() += ',';
      const std::vector<std::string> pieces = pieces_of(answer, one);
      items.insert(items.end(), pieces.begin(), pieces.end());
    }
    if (items.empty()) continue;
    text += wrapped(fmt::format("  {:<16}", verdict_words(verdict)), std::string(18, ' '), items);
  }
  return text;
}

std::string check_words(const Answer& answer, Role role) {
  const auto finding = self_check(answer, role);
  return finding ? fmt::format("{}, {}", ratio_words(*finding), verdict_words(finding->verdict))
                 : "not measured";
}

/// Other load on the machine, and how far it widened the intervals.
void note_conditions(const Answer& answer, std::vector<std::string>& notes) {
  double stolen = 0, others = 0, least_f = std::numeric_limits<double>::infinity(), most_f = 1;
  for (const LoadAnswer& load : answer.loads) {
    if (!load.is_measured()) continue;
    stolen = std::max(stolen, load.stolen_share);
    others = std::max(others, load.others_share);
    least_f = std::min(least_f, load.inflation.f);
    most_f = std::max(most_f, load.inflation.f);
  }
  notes.push_back(
      fmt::format("of the processors' time other programs took up to {} %, the host {} %",
                  percent(others), percent(stolen)));
  if (!std::isfinite(least_f)) return;
  notes.push_back(fmt::format(
      "f, by which differences between rigs and between seconds widen variances: {:.2f} to {:.2f}",
      least_f, most_f));
}

void note_contenders(const LoadAnswer& load, std::vector<std::string>& notes) {
  const std::string where = name_of_load(load.load.cell);
  for (const AtLoad& one : load.contenders) {
    const std::string what = fmt::format("{} at {}", one.planned.contender.name, where);
    const auto& compared = one.compared[Metric::cpu];
    if (one.unsent > 0) notes.push_back(fmt::format("unsent: {}: {} messages", what, one.unsent));
    if (one.delayed > 0) {
      notes.push_back(
          fmt::format("ports: {}: {} connections had to wait for one", what, one.delayed));
    }
    if (one.broken > 0 || one.status == Status::failed) {
      notes.push_back(fmt::format("broken: {}: {}", what, one.reason));
    } else if (!compared && !one.reason.empty()) {
      notes.push_back(fmt::format("not {}: {}: {}",
                                  one.status == Status::measured ? "compared" : "measured", what,
                                  one.reason));
    } else if (compared && compared->has_heavy_tail()) {
      notes.push_back(fmt::format("heavy tail: {}: untrimmed, the ratio is {}", what,
                                  three_digits(compared->ratio_of_sums)));
    }
  }
  const auto bursty = std::ranges::count_if(load.contenders, &AtLoad::is_bursty);
  if (bursty == 0) return;
  notes.push_back(
      fmt::format("bursts: at {}, {} of {} get 20 % more or fewer events per wait in slices than "
                  "in a window of 100 ms",
                  where, bursty, load.contenders.size()));
}

}  // namespace

std::string_view verdict_words(Verdict verdict) {
  return verdict == Verdict::more_expensive ? "more expensive" : verdict_key(verdict);
}

std::string_view verdict_key(Verdict verdict) {
  static constexpr std::array<std::string_view, 5> kKeys = {"same", "cheaper", "more_expensive",
                                                            "unclear", "depends"};
  return kKeys[static_cast<std::size_t>(verdict)];
}

std::string metric_words(Metric metric) {
  static constexpr std::array<std::string_view, kMetrics.size()> kWords = {
      "CPU time of the server per echo",
      "time per echo, the inverse of throughput",
      "median latency",
      "99th percentile of latency",
      "time per connection, the inverse of connections per second",
      "median time from connect to first echo",
      "99th percentile of time from connect to first echo"};
  return std::string(kWords[index_of(metric)]);
}

std::string ratio_words(const Finding& finding) {
  return fmt::format("{} ({} to {})", three_digits(finding.ratio), three_digits(finding.low),
                     three_digits(finding.high));
}

std::string verdict_with_reason(const Compared& compared) {
  if (compared.finding.verdict != Verdict::unclear) {
    return std::string(verdict_words(compared.finding.verdict));
  }
  if (compared.is_enough) return fmt::format("unclear ({})", ruled_out(compared.finding));
  return compared.estimate.blocks < kFewestBlocks
             ? fmt::format("unclear ({} of {} blocks)", compared.estimate.blocks, kFewestBlocks)
             : fmt::format("unclear ({} rigs)", compared.estimate.rigs);
}

std::string interim_words(const Answer& answer, std::size_t load, std::size_t width) {
  std::vector<const AtLoad*> all;
  for (const AtLoad& one : answer.loads[load].contenders) {
    if (one.compared[Metric::cpu] && one.planned.role == Role::compared) all.push_back(&one);
  }
  std::ranges::stable_sort(all, std::greater(), [](const AtLoad* one) {
    return std::abs(one->compared[Metric::cpu]->estimate.log_ratio);
  });
  std::string text;
  for (const AtLoad* one : all) {
    const Finding& finding = one->compared[Metric::cpu]->finding;
    const std::string item =
        finding.is_known() ? fmt::format("{} {:.2f}±{:.2f}", one->planned.contender.name,
                                         finding.ratio, finding.high - finding.ratio)
                           : fmt::format("{} {:.2f}", one->planned.contender.name, finding.ratio);
    if (text.size() + item.size() + 2 > width) break;
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

std::vector<std::string> trust_notes(const Answer& answer) {
  std::vector<std::string> notes = {fmt::format("{} against itself: {}", answer.plan.baseline(),
                                                check_words(answer, Role::same_again))};
  if (self_check(answer, Role::extra_call)) {
    notes.push_back("one system call more: " + check_words(answer, Role::extra_call));
  }
  if (answer.asked() > 0) {
    notes.push_back(fmt::format("{} of {} comparisons that were asked for have a verdict",
                                answer.decided(), answer.asked()));
  }
  note_conditions(answer, notes);
  for (const LoadAnswer& load : answer.loads) note_contenders(load, notes);
  const bool shared = std::ranges::any_of(answer.loads, [](const LoadAnswer& load) {
    return load.is_measured() && load.load.placement == Placement::shared;
  });
  if (shared) {
    notes.emplace_back(
        "where client and server share a processor they take turns, and no throughput is shown");
  }
  return notes;
}

std::string answer_text(const Answer& answer) {
  std::string text = table(answer) + summary(answer) + "\nTrust\n";
  const TextLayout layout{.width = kLineWidth, .colour = false};
  for (const std::string& note : trust_notes(answer)) text += "  " + layout.wrap(note, 4) + "\n";
  return text;
}

}  // namespace muxlab
