#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muxlab::exercise {

/// A number or a word; none as long as it is open.
class Answer {
 public:
  Answer() = default;
  Answer(long number) : text_(std::to_string(number)) {}  // NOLINT: to be written as 1
  Answer(int number) : text_(std::to_string(number)) {}   // NOLINT
  Answer(const char* word) : text_(word) {}               // NOLINT
  Answer(std::string word) : text_(std::move(word)) {}    // NOLINT
  [[nodiscard]] bool is_open() const { return text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline const Answer kOpen;

/// What the reader expects.
struct Prediction {
  std::string_view question;
  Answer answer;
};

/// Defined by starter.cpp and solution.cpp.
extern const std::vector<Prediction> predictions;

/// What was found out, on this kernel and just now.
struct Fact {
  std::string_view question;
  Answer found;
  std::string_view why;
};

/// Prints a line for each prediction that is open or wrong, and throws Wrong if there is one. What
/// an open question's answer is stays untold.
void compare(const std::vector<Fact>& facts);

}  // namespace muxlab::exercise
