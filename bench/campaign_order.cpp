#include "bench/campaign_order.hpp"

#include <numeric>
#include <random>
#include <utility>

namespace muxlab {

std::vector<std::vector<std::size_t>> draw_order(std::size_t cells, std::uint64_t rounds,
                                                 std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<std::size_t>> order(rounds, std::vector<std::size_t>(cells));
  for (std::vector<std::size_t>& round : order) {
    std::iota(round.begin(), round.end(), std::size_t{0});
    // Fisher and Yates by hand: what std::shuffle draws differs from one library to the next. The
    // remainder favours small numbers by less than one in 2^50 for any grid that fits a day.
    for (std::size_t left = cells; left > 1; --left) {
      std::swap(round[left - 1], round[random() % left]);
    }
  }
  return order;
}

}  // namespace muxlab
