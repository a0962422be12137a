#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "backends/parts/failure.hpp"
#include "backends/parts/shortage.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/inspect/mechanism_cards.hpp"

namespace muxlab {
namespace {

using EpollJson = nlohmann::ordered_json;

UniqueFd make_epoll() { return UniqueFd(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")); }

void try_exclusive() {
  const UniqueFd flag(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
  const UniqueFd epoll = make_epoll();
  epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {.fd = flag.get()}};
  checked(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, flag.get(), &event), "epoll_ctl");
}

void try_pwait2() {
  const UniqueFd epoll = make_epoll();
  epoll_event event{};
  const timespec none{};
  checked(::epoll_pwait2(epoll.get(), &event, 1, &none, nullptr), "epoll_pwait2");
}

/// epoll_params of ioctl_eventpoll(2), Linux 6.9. Debian 12 has no header for it.
struct EpollParameters {
  std::uint32_t busy_poll_us;
  std::uint16_t busy_poll_budget;
  std::uint8_t prefer_busy_poll;
  std::uint8_t unused;
};
constexpr unsigned long kGetParameters = _IOR(0x8A, 0x02, EpollParameters);
constexpr unsigned long kSetParameters = _IOW(0x8A, 0x01, EpollParameters);

void try_busy_poll() {
  const UniqueFd epoll = make_epoll();
  EpollParameters parameters{};
  checked(::ioctl(epoll.get(), kGetParameters, &parameters), "EPIOCGPARAMS");
  parameters.busy_poll_us = 50;
  parameters.busy_poll_budget = 8;  // more than NAPI_POLL_WEIGHT needs CAP_NET_ADMIN
  checked(::ioctl(epoll.get(), kSetParameters, &parameters), "EPIOCSPARAMS");
}

struct EpollFeature {
  const char* name;
  void (*attempt)();
  const char* fix;
};
constexpr std::array kEpollFeatures = {
    EpollFeature{"EPOLLEXCLUSIVE", try_exclusive, "use Linux 4.5 or later"},
    EpollFeature{"epoll_pwait2", try_pwait2, "use Linux 5.11 or later"},
    EpollFeature{"busy poll", try_busy_poll, "use Linux 6.9 or later"},
};

}  // namespace

nlohmann::ordered_json epoll_card() {
  EpollJson tried = EpollJson::array();
  for (const EpollFeature& feature : kEpollFeatures) {
    EpollJson one = {{"name", feature.name}, {"works", true}, {"reason", ""}, {"fix", ""}};
    try {
      feature.attempt();
    } catch (const std::system_error& error) {
      const bool unknown = error.code().value() == ENOSYS || error.code().value() == EINVAL ||
                           error.code().value() == ENOTTY;
      one["works"] = false;
      one["reason"] = error.what();
      if (unknown) {
        one["fix"] = feature.fix;
      } else if (const auto shortage = shortage_of(error)) {
        one["fix"] = shortage->cure;
      }
    }
    tried.push_back(one);
  }
  return {{"tried", tried}};
}

}  // namespace muxlab
