#include <event2/event.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <system_error>

#include "backends/libevent_base.hpp"
#include "server/inspect/behaviour_watcher.hpp"

namespace muxlab::behaviour {
namespace {

class LibeventWatcher final : public Watcher {
 public:
  void watch(int fd, bool asks_write) override {
    const int events = EV_READ | EV_CLOSED | EV_PERSIST | (asks_write ? EV_WRITE : 0);
    event_.reset(::event_new(base_.get(), fd, static_cast<short>(events), note, this));
    if (::event_add(event_.get(), nullptr) != 0) {
      throw std::system_error(errno, std::system_category(), "event_add");
    }
  }
  Report wait() override {
    report_ = {};
    // EVLOOP_ONCE, because EVLOOP_NONBLOCK alone loops while the descriptor is ready.
    ::event_base_loop(base_.get(), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return report_;
  }
  bool rearm() override {
    ::event_del(event_.get());
    ::event_add(event_.get(), nullptr);
    return true;
  }

 private:
  static void note(int, short what, void* watcher) {
    std::vector<std::string_view> names;
    if ((what & EV_READ) != 0) names.push_back("READ");
    if ((what & EV_WRITE) != 0) names.push_back("WRITE");
    if ((what & EV_CLOSED) != 0) names.push_back("CLOSED");
    static_cast<LibeventWatcher*>(watcher)->report_.events.push_back(
        fmt::format("{}", fmt::join(names, " ")));
  }

  libevent::Silence silence_;
  libevent::Base base_ = libevent::make_base("epoll");
  libevent::Event event_;
  Report report_;
};

}  // namespace

std::unique_ptr<Watcher> make_libevent_watcher() { return std::make_unique<LibeventWatcher>(); }

}  // namespace muxlab::behaviour
