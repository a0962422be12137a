#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "backends/parts/failure.hpp"
#include "backends/parts/process.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"
#include "bench/report/answer_files.hpp"
#include "bench/report/plots.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// For one picture; usually it takes a tenth of a second.
constexpr std::chrono::seconds kPatience{20};

/// Line ends stay.
std::string without_controls(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == 0x7f; },
      ' ');
  return text;
}

bool has_scripts(const Path& folder) { return std::filesystem::exists(folder / "style.gp"); }

/// The checkout that the build folder around the executable was configured for; empty if unknown.
Path configured_checkout(const Path& build) {
  constexpr std::string_view key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
  std::ifstream cache(build / "CMakeCache.txt");
  for (std::string line; std::getline(cache, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

/// share/muxlab/plots of the executable's prefix, or scripts/plots of the checkout around it or,
/// with a build folder elsewhere, of the checkout that it was built from.
Path find_scripts() {
  const Path program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::vector<Path> candidates = {program.parent_path() / "share/muxlab/plots"};
  for (Path folder = program; folder != folder.parent_path(); folder = folder.parent_path()) {
    candidates.push_back(folder / "scripts/plots");
  }
  const Path checkout = configured_checkout(program);
  if (!checkout.empty()) candidates.push_back(checkout / "scripts/plots");
  const auto found = std::find_if(candidates.begin(), candidates.end(), has_scripts);
  if (found != candidates.end()) return *found;
  throw Failure(ExitCode::unavailable,
                fmt::format("there is no {}, and no scripts/plots in a folder above {}",
                            candidates.front().string(), program.string()));
}

using Json = nlohmann::ordered_json;

/// An axis: at least from 0.7 to 1.5, and all intervals up to a factor of 30.
struct Axis {
  double low = 0.7;
  double high = 1.5;

  void include(const Finding& finding) {
    low = std::max(0.05, std::min(low, finding.low / 1.03));
    high = std::min(30.0, std::max(high, finding.high * 1.03));
  }
};

/// With spaces that do not end a word.
std::string without_spaces(const std::string& text) {
  std::string joined;
  for (const char c : text) joined += c == ' ' ? "\u00a0" : std::string(1, c);
  return joined;
}

/// The data of a forest plot, for gnuplot and for screen readers.
struct ForestData {
  std::string csv = "panel,row,name,ratio,low,high,verdict\n";
  std::string titles;
  Table table{.caption = "What the picture shows",
              .header = {"load", "backend", "ratio", "low", "high", "verdict"},
              .rows = {},
              .is_folded = true};
  Axis axis;
};

/// The row of a contender; without figures where it was not measured.
void add_row(ForestData& data, std::size_t panel, std::size_t row, const std::string& title,
             const AtLoad& one) {
  Finding finding;
  std::string verdict;
  if (one.planned.role == Role::baseline) {
    finding.low = finding.high = 1;
    verdict = "baseline";
  } else if (one.compared[Metric::cpu] && std::isfinite(one.compared[Metric::cpu]->finding.high)) {
    finding = one.compared[Metric::cpu]->finding;
    verdict = verdict_key(finding.verdict);
  }
  const auto show = [&](double value) {
    return verdict.empty() ? "NaN" : fmt::format("{:.5g}", value);
  };
  const std::vector<std::string> figures = {show(finding.ratio), show(finding.low),
                                            show(finding.high)};
  const std::string& name = one.planned.contender.name;
  data.csv += csv_record(std::vector<std::string>{fmt::to_string(panel), fmt::to_string(row), name,
                                                  figures[0], figures[1], figures[2], verdict});
  if (verdict.empty()) return;
  data.axis.include(finding);
  data.table.rows.push_back({title, name, figures[0], figures[1], figures[2], verdict});
}

/// Draws a panel for each of `loads`, as plots/`name`.svg, with its data in plots/.
Picture forest(const Answer& answer, std::span<const LoadAnswer* const> loads, const Json& record,
               Gnuplot& gnuplot, const std::string& name) {
  ForestData data;
  for (std::size_t panel = 1; panel <= loads.size(); ++panel) {
    const LoadAnswer& load = *loads[panel - 1];
    const std::string title = name_of_load(load.load.cell);
    data.titles += (panel > 1 ? " " : "") + without_spaces(title);
    for (std::size_t row = 1; row <= load.contenders.size(); ++row) {
      add_row(data, panel, row, title, load.contenders[row - 1]);
    }
  }
  const std::string title =
      fmt::format("CPU time of the server per echo, relative to {}", answer.plan.baseline());
  const std::string caption = fmt::format(
      "{}. Bars: intervals that hold together with 95 %;\nblue: cheaper, orange: more expensive, "
      "grey: same (within {:g} %), hollow: unclear.",
      machine_words(record), 100 * answer.plan.same_within);
  std::string svg = gnuplot.draw(
      name, "ratios", data.csv,
      {fmt::to_string(loads.size()), fmt::to_string(answer.plan.contenders.size()),
       fmt::format("{:.4f}", data.axis.low), fmt::format("{:.4f}", data.axis.high),
       fmt::format("{:.4f}", 1 + answer.plan.same_within), title, caption, data.titles});
  return {.name = name,
          .title = title,
          .description =
              "A panel for each load and a row for each backend: the ratio of its CPU "
              "time per echo to the baseline's, with its interval.",
          .svg = std::move(svg),
          .data = std::move(data.table),
          .csv = std::move(data.csv)};
}

}  // namespace

Gnuplot::Gnuplot(Path folder, int interrupt) : folder_(std::move(folder)), interrupt_(interrupt) {}

std::string Gnuplot::draw(const std::string& name, const std::string& script,
                          const std::string& data, std::vector<std::string> arguments) {
  if (!is_over_) {
    try {
      std::error_code error;
      std::filesystem::create_directory(folder_ / "plots", error);  // write_whole() fails then
      if (!data.empty()) {
        write_whole(folder_ / "plots" / (name + ".csv"), data);
        arguments.insert(arguments.begin(), "plots/" + name + ".csv");
      }
      std::string drawing = run(script, std::move(arguments));
      write_whole(folder_ / "plots" / (name + ".svg"), drawing);
      return drawing;
    } catch (const std::exception& error) {
      if (reason_.empty()) reason_ = fmt::format("{}: {}", name, error.what());
    }
  }
  ++missing_;
  return {};
}

std::string Gnuplot::why_missing() const {
  if (missing_ == 0) return {};
  return fmt::format("{} missing, first {}; muxlab report draws {} again",
                     missing_ == 1 ? "1 picture is" : fmt::format("{} pictures are", missing_),
                     one_line(reason_), missing_ == 1 ? "it" : "them");
}

/// Passes only our own names below the working folder, and texts to show, because gnuplot runs a
/// data file name that begins with `<` or `|` as a command.
std::string Gnuplot::run(const std::string& script, std::vector<std::string> arguments) {
  is_over_ = true;  // unless this one is drawn, or gnuplot refuses just this one
  // Nothing of the user's environment or of ~/.gnuplot may change the picture.
  std::vector<std::string> words = {"env", "-i", "LC_ALL=C"};
  if (const char* const path = std::getenv("PATH")) words.push_back(std::string("PATH=") + path);
  words.insert(words.end(), {"gnuplot", "--default-settings", "-c",
                             std::filesystem::absolute(find_scripts() / (script + ".gp"))});
  for (std::string& argument : arguments) words.push_back(without_controls(std::move(argument)));
  Process gnuplot(Command{.words = std::move(words), .processors = {}, .folder = folder_});
  const auto ended = [&] { return gnuplot.exit_code().has_value(); };
  const Wake wake = wait_for(gnuplot, interrupt_, Clock::now() + kPatience, ended);
  const auto fail = [](const std::string& why) { throw Failure(ExitCode::untrusted, why); };
  if (wake == Wake::interrupted) fail("interrupted");
  if (wake == Wake::deadline) fail(fmt::format("gnuplot took more than {} s", kPatience.count()));
  if (gnuplot.exit_code() == 127) fail("gnuplot cannot be run, install gnuplot-nox");
  is_over_ = false;
  // Through a pipe: a drawing cut off by a full disk must not replace a whole one.
  const std::string& drawing = gnuplot.output().text();
  const bool is_whole = drawing.starts_with("<?xml") && drawing.ends_with("</svg>\n\n");
  if (gnuplot.exit_code() != 0 || !is_whole) {
    fail(fmt::format("gnuplot ended with code {}: {}", gnuplot.exit_code().value_or(-1),
                     cut_to(gnuplot.last_words(), 200)));
  }
  return drawing;
}

std::string draw_plot(Gnuplot& gnuplot, const Plot& plot, const PlotFrame& frame) {
  std::string conditions;
  for (const auto& [column, value] : plot.conditions) {
    conditions += fmt::format("{}{}={}", conditions.empty() ? "" : " ", column, value);
  }
  return gnuplot.draw(plot.name, plot.script, "",
                      {"summary.csv", "/dev/stdout", plot.axis, conditions, frame.caption,
                       frame.crowded_from ? fmt::format("{:.3f}", *frame.crowded_from) : ""});
}

std::string machine_words(const Json& record) {
  return fmt::format("{}, {} processors, Linux {}, {}",
                     one_line(text_at(record, "/machine/cpu_model", "unknown CPU")),
                     value_at(record, "/machine/processors_online").dump(),
                     one_line(text_at(record, "/machine/kernel_release", "?")),
                     record.at("started_utc").get<std::string>().substr(0, 10));
}

Gallery draw_ratios(const Answer& answer, const Json& record, Gnuplot& gnuplot) {
  constexpr std::size_t kPanels = 5;
  std::vector<const LoadAnswer*> loads;
  for (const LoadAnswer& load : answer.loads) {
    if (load.is_measured()) loads.push_back(&load);
  }
  Gallery gallery;
  for (std::size_t begin = 0; begin < loads.size(); begin += kPanels) {
    const std::size_t count = std::min(kPanels, loads.size() - begin);
    const std::string name = begin == 0 ? "ratios" : fmt::format("ratios-{}", begin / kPanels + 1);
    Picture picture = forest(answer, std::span(loads).subspan(begin, count), record, gnuplot, name);
    if (!picture.svg.empty()) gallery.pictures.push_back(std::move(picture));
  }
  return gallery;
}

}  // namespace muxlab
