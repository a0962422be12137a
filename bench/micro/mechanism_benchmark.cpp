#include <fmt/format.h>
#include <sys/socket.h>

#include <functional>
#include <limits>

#include "backends/backend.hpp"
#include "backends/libevent_base.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/poller.hpp"
#include "bench/micro/micro.hpp"

namespace muxlab {
namespace {

/// A mechanism of waiting without a server, which all benchmarks of waiting call. Borrows
/// descriptors, which must outlive it. Thread: one.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual ~Waiter() = default;

  /// Starts to wait for readability.
  virtual void add(int fd) = 0;
  /// Changes the interest.
  virtual void modify(int fd, Interest interest) = 0;
  virtual void remove(int fd) = 0;

  /// Announces a byte sent to `fd`. Only the oracle uses it.
  virtual void announce(int /*fd*/) {}

  /// Waits once, and receives from all ready descriptors. Returns their number.
  virtual std::size_t take_ready() = 0;
};

/// A factory of waiters.
struct Mechanism {
  std::string name;
  std::function<std::unique_ptr<Waiter>()> make;
  int max_descriptor = std::numeric_limits<int>::max();
};

/// Receives all pending bytes of `fd`.
void take_from(int fd) {
  std::array<char, 64> bytes;  // larger than the pending bytes: a short read means drained
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
  /// libevent cannot change an event's interest, so this assigns the event again.
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
  void announce(int fd) override { ready_.push_back(fd); }
  std::size_t take_ready() override {
    for (const int fd : ready_) take_from(fd);
    const std::size_t count = ready_.size();
    ready_.clear();
    return count;
  }

 private:
  std::vector<int> ready_;
};

/// Returns every Poller of the registry, libevent's event API on each of its methods, and the
/// oracle, which never waits and is the lower bound. Omits mechanisms that do not work here.
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

/// Two connected unix sockets. Bytes sent on `far` become readable on `near`.
struct SocketPair {
  UniqueFd near;
  UniqueFd far;
};

/// Returns the first `count` of the pairs that all benchmarks share, and creates missing ones. They
/// are shared because creating ten thousand takes longer than measuring. Throws std::system_error.
std::span<const SocketPair> first_pairs(std::size_t count) {
  static std::vector<SocketPair> pairs;
  while (pairs.size() < count) {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
            "socketpair");
    pairs.push_back({UniqueFd(ends[0]), UniqueFd(ends[1])});
  }
  return std::span(pairs).first(count);
}

/// Returns false, with the reason in `state`, if `mechanism` cannot wait for descriptors that high.
bool can_wait_for(const Mechanism& mechanism, std::span<const SocketPair> pairs,
                  benchmark::State& state) {
  if (pairs.empty() || pairs.back().near.get() <= mechanism.max_descriptor) return true;
  state.SkipWithError(fmt::format("{} cannot wait for descriptors above {}", mechanism.name,
                                  mechanism.max_descriptor)
                          .c_str());
  return false;
}

/// Turns per reading of the thread's clock, because a reading costs as much as a cheap wait.
constexpr benchmark::IterationCount kTurnsPerLook = 16;

void send_byte(int fd) {
  if (::send(fd, "x", 1, MSG_NOSIGNAL) != 1) throw_errno("send");
}

/// Sends a byte to each of `active` evenly spaced pairs, and waits until all are received. Returns
/// the number of waits. The caller increments `offset`, so that every descriptor becomes ready.
std::size_t turn(Waiter& waiter, std::span<const SocketPair> pairs, std::size_t active,
                 std::size_t offset) {
  const std::size_t stride = pairs.size() / active;
  for (std::size_t i = 0; i < active; ++i) {
    const SocketPair& pair = pairs[(offset + i * stride) % pairs.size()];
    send_byte(pair.far.get());
    waiter.announce(pair.near.get());
  }
  std::size_t waits = 0;
  for (std::size_t taken = 0; taken < active; ++waits) taken += waiter.take_ready();
  return waits;
}

/// Measures one turn of a loop, with reading and writing. For the cost of waiting alone, subtract
/// the oracle's time, because the oracle knows the ready descriptors.
void wait_for_some_of_many(benchmark::State& state, const Mechanism& mechanism) {
  const auto active = static_cast<std::size_t>(state.range(1));
  const auto pairs = first_pairs(static_cast<std::size_t>(state.range(0)));
  if (!can_wait_for(mechanism, pairs, state)) return;
  const auto waiter = mechanism.make();
  for (const SocketPair& pair : pairs) waiter->add(pair.near.get());
  std::size_t turns = 0;
  std::size_t waits = 0;
  turn(*waiter, pairs, active, turns);
  while (state.KeepRunningBatch(kTurnsPerLook)) {
    const double begin_s = thread_cpu_s();
    for (benchmark::IterationCount i = 0; i < kTurnsPerLook; ++i) {
      waits += turn(*waiter, pairs, active, ++turns);
    }
    state.SetIterationTime(thread_cpu_s() - begin_s);
  }
  state.counters["ready_per_wait"] =
      static_cast<double>(turns * active) / static_cast<double>(waits);
}

/// Measures adding and removing a descriptor among `registered` silent ones.
void add_and_remove(benchmark::State& state, const Mechanism& mechanism) {
  const auto pairs = first_pairs(static_cast<std::size_t>(state.range(0)) + 1);
  if (!can_wait_for(mechanism, pairs, state)) return;
  const auto waiter = mechanism.make();
  for (const SocketPair& pair : pairs.subspan(1)) waiter->add(pair.near.get());
  const int fd = pairs.front().near.get();
  for (auto _ : state) {
    waiter->add(fd);
    waiter->remove(fd);
  }
}

/// Measures a connection with unsent bytes: change to POLLOUT, wait, change back to POLLIN. It
/// includes the wait, because io_uring and libevent defer the change until then.
void modify_and_back(benchmark::State& state, const Mechanism& mechanism) {
  const auto pairs = first_pairs(1);
  const auto waiter = mechanism.make();
  const int fd = pairs.front().near.get();
  waiter->add(fd);
  for (auto _ : state) {
    waiter->modify(fd, Interest::write);
    benchmark::DoNotOptimize(waiter->take_ready());
    waiter->modify(fd, Interest::read);
  }
}

}  // namespace

void register_mechanism_benchmarks() {
  static const std::vector<Mechanism> all = mechanisms();
  const auto add = [](const Mechanism& mechanism, const char* name, auto run) {
    return benchmark::RegisterBenchmark(
        fmt::format("{}/{}", name, mechanism.name).c_str(),
        [&mechanism, run](benchmark::State& state) { run(state, mechanism); });
  };
  for (const Mechanism& mechanism : all) {
    auto* const waits = add(mechanism, "wait", wait_for_some_of_many);
    waits->ArgNames({"registered", "active"})->UseManualTime();
    for (const std::int64_t count : {1, 10, 100, 1000, 9000}) waits->Args({count, 1});
    for (const std::int64_t active : {10, 100, 1000}) waits->Args({1000, active});
  }
  for (const Mechanism& mechanism : all) {
    if (mechanism.name == "oracle") continue;
    add(mechanism, "add_and_remove", add_and_remove)->ArgNames({"registered"})->Arg(0)->Arg(1000);
    add(mechanism, "modify_and_back", modify_and_back);
  }
}

}  // namespace muxlab
