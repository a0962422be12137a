#include "server/faults/faults.hpp"

/// Each case over a few cells: with every test run.
namespace muxlab::faults {
namespace {

INSTANTIATE_TEST_SUITE_P(Quick, Faults, testing::ValuesIn(test::few_cells()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab::faults
