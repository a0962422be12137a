#include "tutorial/exercises/predicting.hpp"

#include <algorithm>
#include <cstdio>

#include "tutorial/exercises/checking.hpp"

namespace muxlab::exercise {
namespace {

/// True when the prediction is there and right; prints what is wrong with it otherwise.
bool holds(const Fact& fact) {
  const std::string name(fact.question);
  const auto predicted = std::ranges::find(predictions, fact.question, &Prediction::question);
  if (predicted == predictions.end() || predicted->answer.is_open()) {
    std::printf("  %s: open\n", name.c_str());
    return false;
  }
  const std::string& said = predicted->answer.text();
  const std::string& found = fact.found.text();
  if (said == found) return true;
  std::printf("  %s: you say %s, this kernel says %s: %s\n", name.c_str(), said.c_str(),
              found.c_str(), std::string(fact.why).c_str());
  return false;
}

}  // namespace

void compare(const std::vector<Fact>& facts) {
  const auto right = std::ranges::count_if(facts, holds);
  expect(right == std::ssize(facts), "every question is answered as this kernel answers it",
         std::to_string(right) + " of " + std::to_string(facts.size()) + " are");
}

}  // namespace muxlab::exercise
