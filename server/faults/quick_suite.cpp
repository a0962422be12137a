#include "server/faults/faults.hpp"

/// Runs each case over a few cells, with every test run.
namespace muxlab::faults {
namespace {

/// Without hand-over, serving threads share nothing for ThreadSanitizer to check.
std::vector<Cell> quick_cells() {
  std::vector<Cell> cells = test::few_cells();
  std::erase_if(cells, [](const Cell& cell) {
    const Threading threading = cell.options.threading;
    return build_stamp.has_flag("-fsanitize=thread") && threading != Threading::acceptor &&
           threading != Threading::half_sync;
  });
  return cells;
}

INSTANTIATE_TEST_SUITE_P(Quick, Faults, testing::ValuesIn(quick_cells()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab::faults
