#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/trace/lines.hpp"
#include "server/trace/trace.hpp"

namespace muxlab::trace {
namespace {

constexpr std::string_view kBetween = "  ";
constexpr std::size_t kMark = 2;  ///< "* "
/// The minimum width of a side, so that a call fits on a few lines.
constexpr std::size_t kNarrowestSide = 36;

/// A line of one trace, or the same line of both.
struct Pair {
  const Line* left = nullptr;
  const Line* right = nullptr;
  bool differs = false;
};

/// Returns a call, followed by its submissions and completions.
std::vector<std::string> texts_of(const Line& line) {
  const bool is_first_thread = line.actor == "server";
  std::vector<std::string> texts = {is_first_thread ? text_of(line)
                                                    : line.actor + ": " + text_of(line)};
  texts.insert(texts.end(), line.below.begin(), line.below.end());
  return texts;
}

/// Returns the length of the longest common subsequence from each pair of lines on.
std::vector<std::vector<std::size_t>> common_from(const std::vector<Line>& left,
                                                  const std::vector<Line>& right) {
  std::vector<std::vector<std::size_t>> common(left.size() + 1,
                                               std::vector<std::size_t>(right.size() + 1, 0));
  for (std::size_t i = left.size(); i-- > 0;) {
    for (std::size_t j = right.size(); j-- > 0;) {
      common[i][j] = texts_of(left[i]) == texts_of(right[j])
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  return common;
}

/// Pairs equal lines, and the different lines between them in their order.
std::vector<Pair> align(const std::vector<Line>& left, const std::vector<Line>& right) {
  const auto common = common_from(left, right);
  std::vector<Pair> pairs;
  std::vector<const Line*> only_left, only_right;
  const auto flush = [&] {
    for (std::size_t i = 0; i < std::max(only_left.size(), only_right.size()); ++i) {
      pairs.push_back({.left = i < only_left.size() ? only_left[i] : nullptr,
                       .right = i < only_right.size() ? only_right[i] : nullptr,
                       .differs = true});
    }
    only_left.clear();
    only_right.clear();
  };
  for (std::size_t i = 0, j = 0; i < left.size() || j < right.size();) {
    if (i < left.size() && j < right.size() && texts_of(left[i]) == texts_of(right[j])) {
      flush();
      pairs.push_back({.left = &left[i++], .right = &right[j++]});
    } else if (j == right.size() || (i < left.size() && common[i + 1][j] >= common[i][j + 1])) {
      only_left.push_back(&left[i++]);
    } else {
      only_right.push_back(&right[j++]);
    }
  }
  flush();
  return pairs;
}

/// Wraps to lines of at most `width`, unless a word is longer. Indents continuation lines.
std::vector<std::string> wrapped(const std::vector<std::string>& texts, std::size_t width) {
  constexpr std::size_t kIndent = 4;
  std::vector<std::string> lines;
  for (const std::string& text : texts) {
    std::string all = text.size() <= width
                          ? text
                          : TextLayout{.width = width, .colour = false}.wrap(text, kIndent);
    for (std::size_t end = 0; (end = all.find('\n')) != std::string::npos; all.erase(0, end + 1)) {
      lines.push_back(all.substr(0, end));
    }
    lines.push_back(all);
  }
  return lines;
}

class Versus {
 public:
  Versus(const Trace& left, const Trace& right, const TextLayout& layout)
      : left_(left), right_(right), layout_(layout) {
    const std::vector<Turn> ours = turns_of(left);
    const std::vector<Turn> theirs = turns_of(right);
    side_ = std::max(widest(ours), widest(theirs));
    const std::size_t marks = 2 * kMark + kBetween.size();
    const std::size_t room = layout.width > marks ? (layout.width - marks) / 2 : 0;
    side_by_side_ = room >= kNarrowestSide;
    side_ = std::min(side_, room);
    add_heading();
    for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()); ++i) {
      add(i < ours.size() ? ours[i] : Turn{}, i < theirs.size() ? theirs[i] : Turn{});
    }
    add_counts();
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  static std::size_t widest(const std::vector<Turn>& turns) {
    std::size_t widest = 0;
    for (const Turn& turn : turns) {
      for (const Line& line : turn.calls) {
        for (const std::string& text : texts_of(line)) widest = std::max(widest, text.size());
      }
    }
    return widest;
  }

  void add_line(std::string line, Ink ink = Ink::none) {
    line.erase(line.find_last_not_of(' ') + 1);
    text_ += layout_.paint(line, ink) + '\n';
  }

  void add_heading() {
    if (side_by_side_) {
      add_row({left_.backend}, {right_.backend}, Ink::bold);
    } else {
      add_line(fmt::format("< {}", left_.backend), Ink::bold);
      add_line(fmt::format("> {}", right_.backend), Ink::bold);
    }
  }

  void add_counts() {
    text_ += '\n';
    if (side_by_side_) {
      add_row({calls_text(left_)}, {calls_text(right_)}, Ink::none);
    } else {
      add_marked('<', {calls_text(left_)}, Ink::none);
      add_marked('>', {calls_text(right_)}, Ink::none);
    }
  }

  void add(const Turn& ours, const Turn& theirs) {
    const auto& steps = ours.steps.size() >= theirs.steps.size() ? ours.steps : theirs.steps;
    if (!steps.empty()) text_ += '\n';
    for (const Line& step : steps) {
      add_line(fmt::format("{}: {}", step.actor, step.call), Ink::bold);
    }
    for (const Pair& pair : align(ours.calls, theirs.calls)) add(pair);
  }

  void add(const Pair& pair) {
    const auto texts = [](const Line* line) {
      return line != nullptr ? texts_of(*line) : std::vector<std::string>();
    };
    const Ink ink = pair.differs ? Ink::bad : Ink::none;
    if (side_by_side_) {
      add_row(texts(pair.left), texts(pair.right), ink);
    } else if (pair.differs) {
      add_marked('<', texts(pair.left), ink);
      add_marked('>', texts(pair.right), ink);
    } else {
      add_marked(' ', texts(pair.left), ink);
    }
  }

  void add_marked(char mark, const std::vector<std::string>& texts, Ink ink) {
    const std::size_t room = layout_.width > kMark ? layout_.width - kMark : 0;
    for (const std::string& line : wrapped(texts, room)) {
      add_line(fmt::format("{} {}", std::exchange(mark, ' '), line), ink);
    }
  }

  /// Adds two cells, each of as many lines as it needs. A mark is on the first line.
  void add_row(const std::vector<std::string>& left, const std::vector<std::string>& right,
               Ink ink) {
    const std::vector<std::string> ours = wrapped(left, side_);
    const std::vector<std::string> theirs = wrapped(right, side_);
    const auto cell = [ink](const std::vector<std::string>& lines, std::size_t i) {
      if (i >= lines.size()) return std::string();
      return fmt::format("{} {}", i == 0 && ink == Ink::bad ? '*' : ' ', lines[i]);
    };
    for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()); ++i) {
      add_line(fmt::format("{:<{}}{}{}", cell(ours, i), side_ + kMark, kBetween, cell(theirs, i)),
               ink);
    }
  }

  const Trace& left_;
  const Trace& right_;
  const TextLayout& layout_;
  std::size_t side_ = 0;
  bool side_by_side_ = false;
  std::string text_;
};

}  // namespace

std::string versus_text(const Trace& one, const Trace& other, const TextLayout& layout) {
  return Versus(one, other, layout).text();
}

}  // namespace muxlab::trace
