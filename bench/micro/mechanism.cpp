#include <sys/socket.h>

#include <array>

#include "backends/backend.hpp"
#include "backends/libevent_base.hpp"
#include "backends/parts/fd_map.hpp"
#include "bench/micro/micro.hpp"

namespace muxlab {
namespace {

/// Takes what has come on `fd`.
void take_from(int fd) {
  std::array<char, 64> bytes;  // more than ever come: a short read means drained
  static_cast<void>(::recv(fd, bytes.data(), bytes.size(), 0));
}

class PollerWaiter final : public Waiter {
 public:
  explicit PollerWaiter(std::unique_ptr<Poller> poller) : poller_(std::move(poller)) {}

  void add(int fd) override { poller_->add(fd, Interest::read); }
  void modify(int fd, Interest interest) override { poller_->modify(fd, interest); }
  void remove(int fd) override { poller_->remove(fd); }
  std::size_t take_ready() override {
    const auto ready = poller_->wait();
    for (const int fd : ready) take_from(fd);
    return ready.size();
  }

 private:
  std::unique_ptr<Poller> poller_;
};

class LibeventWaiter final : public Waiter {
 public:
  explicit LibeventWaiter(const std::string& method) : base_(libevent::make_base(method)) {}

  void add(int fd) override { events_[fd] = libevent::watch(base_.get(), fd, EV_READ, take, this); }
  /// An event waits for what it was made for; to wait for something else it is assigned anew.
  void modify(int fd, Interest interest) override {
    event* const changed = events_[fd].get();
    event_del(changed);
    const int wanted = (interest == Interest::read ? EV_READ : EV_WRITE) | EV_PERSIST;
    event_assign(changed, base_.get(), fd, static_cast<short>(wanted), take, this);
    event_add(changed, nullptr);
  }
  void remove(int fd) override { events_[fd].reset(); }
  std::size_t take_ready() override {
    taken_ = 0;
    event_base_loop(base_.get(), EVLOOP_ONCE);
    return taken_;
  }

 private:
  static void take(int fd, short /*events*/, void* waiter) {
    take_from(fd);
    ++static_cast<LibeventWaiter*>(waiter)->taken_;
  }

  libevent::Base base_;
  FdMap<libevent::Event> events_;
  std::size_t taken_ = 0;
};

class OracleWaiter final : public Waiter {
 public:
  void add(int /*fd*/) override {}
  void modify(int /*fd*/, Interest /*interest*/) override {}
  void remove(int /*fd*/) override {}
  void tell(int fd) override { told_.push_back(fd); }
  std::size_t take_ready() override {
    for (const int fd : told_) take_from(fd);
    const std::size_t count = told_.size();
    told_.clear();
    return count;
  }

 private:
  std::vector<int> told_;
};

}  // namespace

std::vector<Mechanism> mechanisms() {
  std::vector<Mechanism> all = {{"oracle", std::make_unique<OracleWaiter>}};
  for (const Backend* backend : backends()) {
    constexpr std::string_view kLibevent = "libevent-";
    const Availability found = backend->probe();
    if (!found.works) continue;
    const std::string name(backend->name);
    Mechanism mechanism{name, {}, found.max_descriptor};
    if (backend->make_poller != nullptr) {
      mechanism.make = [=] { return std::make_unique<PollerWaiter>(backend->make_poller()); };
    } else if (name.starts_with(kLibevent)) {
      mechanism.make = [=] {
        return std::make_unique<LibeventWaiter>(name.substr(kLibevent.size()));
      };
    }
    if (mechanism.make) all.push_back(std::move(mechanism));
  }
  return all;
}

}  // namespace muxlab
