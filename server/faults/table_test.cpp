#include <cstdlib>
#include <fstream>

#include "server/faults/faults.hpp"

/// Writes the table of results of each case.
namespace muxlab::faults {
namespace {

/// Appends a row per test to the file MUXLAB_FAULT_TABLE: case, backend, threading model, verdict
/// and reason. Several processes may append.
class Table : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& test) override {
    const char* const path = ::getenv("MUXLAB_FAULT_TABLE");
    if (path == nullptr || test.value_param() == nullptr) return;
    const std::string cell =
        std::string(test.name()).substr(std::string(test.name()).find('/') + 1);
    const std::string name(test.name(), std::string_view(test.name()).find('/'));
    for (const Cell& one : every_cell()) {
      if (one.name() != cell) continue;
      std::ofstream file(path, std::ios::app);
      file << fmt::format("{},{},{},{},{}\n", name, one.backend->name, one.model, verdict(test),
                          reason(test))
           << std::flush;
    }
  }

  static std::string_view verdict(const testing::TestInfo& test) {
    if (test.result()->Skipped()) return "not applicable";
    return test.result()->Passed() ? "pass" : "fail";
  }

  static std::string reason(const testing::TestInfo& test) {
    if (!test.result()->Skipped()) return "";
    std::string text = test.result()->GetTestPartResult(0).message();
    std::ranges::replace(text, ',', ';');
    std::erase(text, '\n');
    return text;
  }
};

[[maybe_unused]] const bool table_is_written = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Table);  // NOLINT: owned there
  return true;
}();

}  // namespace
}  // namespace muxlab::faults
