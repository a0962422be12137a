#include "server/faults/faults.hpp"

/// Runs each case over every cell. A program of its own, because listing so many takes time.
namespace muxlab::faults {
namespace {

INSTANTIATE_TEST_SUITE_P(Whole, Faults, testing::ValuesIn(every_cell()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab::faults
