#include <cstdlib>
#include <fstream>

#include "server/faults/faults.hpp"

/// Which cells each case runs over, and the table of what came of it.
namespace muxlab::faults {
namespace {

/// Each backend and each threading model once or more: the others are a combination of these.
std::vector<Cell> few_cells() {
  static const std::vector<std::string> kNames = {
      "select_on_half_sync",
      "poll_on_acceptor_pipe",
      "epoll_lt_on_shared",
      "epoll_et_on_reuseport",
      "epoll_et_on_half_sync_worker_rearms",
      "libevent_select_on_single",
      "libevent_poll_on_shared",
      "libevent_epoll_on_acceptor_eventfd",
      "bufferevent_on_reuseport",
      "libuv_on_acceptor_pipe",
      "asio_on_shared",
      "io_uring_poll_on_single",
      "io_uring_on_reuseport",
      "io_uring_on_acceptor_eventfd",
      "threads_on_acceptor_eventfd",
  };
  std::vector<Cell> cells = every_cell();
  std::erase_if(cells, [](const Cell& cell) {
    return std::ranges::find(kNames, cell.name()) == kNames.end();
  });
  return cells;
}

INSTANTIATE_TEST_SUITE_P(Quick, Faults, testing::ValuesIn(few_cells()),
                         [](const auto& cell) { return cell.param.name(); });
INSTANTIATE_TEST_SUITE_P(Whole, Faults, testing::ValuesIn(every_cell()),
                         [](const auto& cell) { return cell.param.name(); });

/// Appends a row per test to the file that the environment names: case, backend, threading model,
/// verdict and reason. Several processes may append to the same file.
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
