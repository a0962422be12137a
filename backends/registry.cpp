#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/backend.hpp"
#include "backends/parts/shortage.hpp"

namespace muxlab {

extern const Backend select_backend, poll_backend, epoll_lt_backend, epoll_et_backend;
extern const Backend io_uring_poll_backend, io_uring_backend;
extern const Backend libevent_select_backend, libevent_poll_backend, libevent_epoll_backend;
extern const Backend bufferevent_backend, libuv_backend, asio_backend, threads_backend;
extern const Backend bare_select_backend, bare_poll_backend;
extern const Backend bare_epoll_lt_backend, bare_epoll_et_backend;
extern const Backend bare_io_uring_backend, io_uring_many_buffers_backend;
extern const Backend io_uring_large_receives_backend, io_uring_poll_first_backend;
extern const Backend io_uring_without_more_backend;
extern const Backend blind_scan_backend, epoll_lt_extra_call_backend, oracle_backend;

std::span<const Backend* const> backends() {
  static constexpr std::array kBackends = {
      &select_backend,          &poll_backend,          &epoll_lt_backend,
      &epoll_et_backend,        &io_uring_poll_backend, &io_uring_backend,
      &libevent_select_backend, &libevent_poll_backend, &libevent_epoll_backend,
      &bufferevent_backend,     &libuv_backend,         &asio_backend,
      &threads_backend,
  };
  return kBackends;
}

std::span<const Backend* const> controls() {
  static const Backend kEpollLtAgain = [] {
    Backend same = epoll_lt_backend;
    same.name = "epoll-lt-again";
    same.summary = "the same as epoll-lt: what a comparison says of the two is its own error";
    return same;
  }();
  static const std::array kControls = {
      &bare_select_backend,
      &bare_poll_backend,
      &bare_epoll_lt_backend,
      &bare_epoll_et_backend,
      &bare_io_uring_backend,
      &io_uring_many_buffers_backend,
      &io_uring_large_receives_backend,
      &io_uring_poll_first_backend,
      &io_uring_without_more_backend,
      &blind_scan_backend,
      &oracle_backend,
      &kEpollLtAgain,
      &epoll_lt_extra_call_backend,
  };
  return kControls;
}

const Backend* find_backend(std::string_view name) {
  for (const auto all : {backends(), controls()}) {
    const auto found = std::ranges::find(all, name, &Backend::name);
    if (found != all.end()) return *found;
  }
  return nullptr;
}

Availability Availability::never(const std::system_error& error) {
  const auto shortage = shortage_of(error);
  if (!shortage) return never(error.what(), "");
  return never(fmt::format("{}: {}", error.what(), shortage->reason), shortage->cure);
}

std::vector<std::string> names_of(std::span<const Backend* const> all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Backend* const backend : all) names.emplace_back(backend->name);
  return names;
}

}  // namespace muxlab
