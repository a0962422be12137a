#include "server/faults/faults.hpp"

/// Each case over every cell. A program of its own, for it takes its time to list so many.
namespace muxlab::faults {
namespace {

INSTANTIATE_TEST_SUITE_P(Whole, Faults, testing::ValuesIn(every_cell()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab::faults
