#include "server/faults/faults.hpp"

/// Each case over a few cells: with every test run.
namespace muxlab::faults {
namespace {

/// Each backend and each threading model once or more: the others are a combination of these.
const std::vector<Cell>& few_cells() {
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
  static const std::vector<Cell> cells = [] {
    std::vector<Cell> found = every_cell();
    std::erase_if(found, [](const Cell& cell) {
      return std::ranges::find(kNames, cell.name()) == kNames.end();
    });
    return found;
  }();
  return cells;
}

INSTANTIATE_TEST_SUITE_P(Quick, Faults, testing::ValuesIn(few_cells()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace muxlab::faults
