#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "tutorial/programs/libevent_handles.hpp"

/// rate_limit: libevent's limits on what a bufferevent receives in each tick. Two senders write all
/// they have at once; the receivers have a limit of their own, or share that of a group.
using namespace tutorial;

namespace {

constexpr std::size_t kPerTick = 8 << 10;
constexpr std::size_t kMessage = 64 << 10;  ///< of each sender
constexpr timeval kTick{.tv_sec = 0, .tv_usec = 20'000};
constexpr std::chrono::milliseconds kTickTime(20);

struct FreeLimits {
  void operator()(ev_token_bucket_cfg* limit) const { ev_token_bucket_cfg_free(limit); }
  void operator()(bufferevent_rate_limit_group* group) const {
    bufferevent_rate_limit_group_free(group);
  }
};
using Limit = std::unique_ptr<ev_token_bucket_cfg, FreeLimits>;
using Group = std::unique_ptr<bufferevent_rate_limit_group, FreeLimits>;

/// A bucket is filled by so many tokens with each tick, and a byte received takes one out. It holds
/// no more than one tick's, so that what was not used is not made up for later.
Limit make_limit() {
  Limit limit(
      ev_token_bucket_cfg_new(kPerTick, kPerTick, EV_RATE_LIMIT_MAX, EV_RATE_LIMIT_MAX, &kTick));
  if (!limit) throw std::runtime_error("ev_token_bucket_cfg_new failed");
  return limit;
}

/// Two bufferevents over a pair of connected sockets.
struct Stream {
  Owned<bufferevent> sender, receiver;
};

class Transfer {
 public:
  Transfer() : base_(own(event_base_new(), "event_base_new")) {}

  [[nodiscard]] event_base* base() const { return base_.get(); }

  bufferevent* add_stream() {
    std::array<evutil_socket_t, 2> ends{};
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
          "socketpair");
    Stream& stream = streams_.emplace_back();
    Fd first(ends[0]), second(ends[1]);
    stream.sender = make_stream(std::move(first));
    stream.receiver = make_stream(std::move(second));
    bufferevent_setcb(
        stream.receiver.get(),
        [](bufferevent* from, void* self) noexcept { static_cast<Transfer*>(self)->receive(from); },
        nullptr, nullptr, this);
    return stream.receiver.get();
  }

  /// How many ticks passed until everything was received.
  long run() {
    const std::string message(kMessage, 'x');
    const auto begin = std::chrono::steady_clock::now();
    for (const Stream& stream : streams_) {
      require(bufferevent_enable(stream.receiver.get(), EV_READ), "bufferevent_enable");
      require(bufferevent_write(stream.sender.get(), message.data(), message.size()),
              "bufferevent_write");
    }
    require(event_base_dispatch(base_.get()), "event_base_dispatch");
    return (std::chrono::steady_clock::now() - begin) / kTickTime;
  }

 private:
  Owned<bufferevent> make_stream(Fd socket) const {
    auto stream = own(bufferevent_socket_new(base_.get(), socket.get(), BEV_OPT_CLOSE_ON_FREE),
                      "bufferevent_socket_new");
    static_cast<void>(socket.release());
    return stream;
  }

  void receive(bufferevent* from) {
    evbuffer* const input = bufferevent_get_input(from);
    received_ += evbuffer_get_length(input);
    require(evbuffer_drain(input, evbuffer_get_length(input)), "evbuffer_drain");
    if (received_ == kMessage * streams_.size()) event_base_loopbreak(base_.get());
  }

  Owned<event_base> base_;
  std::vector<Stream> streams_;
  std::size_t received_ = 0;
};

long unlimited() {
  Transfer transfer;
  for (int i = 0; i < 2; ++i) transfer.add_stream();
  return transfer.run();
}

long limited_each() {
  const Limit limit = make_limit();
  Transfer transfer;
  for (int i = 0; i < 2; ++i)
    require(bufferevent_set_rate_limit(transfer.add_stream(), limit.get()),
            "bufferevent_set_rate_limit");
  return transfer.run();
}

long limited_together() {
  const Limit limit = make_limit();
  Transfer transfer;
  Group group(bufferevent_rate_limit_group_new(transfer.base(), limit.get()));
  if (!group) throw std::runtime_error("bufferevent_rate_limit_group_new failed");
  std::vector<bufferevent*> members;
  for (int i = 0; i < 2; ++i) {
    members.push_back(transfer.add_stream());
    require(bufferevent_add_to_rate_limit_group(members.back(), group.get()),
            "bufferevent_add_to_rate_limit_group");
  }
  const long ticks = transfer.run();
  for (bufferevent* member : members)
    bufferevent_remove_from_rate_limit_group(member);  // before the group is freed
  return ticks;
}

}  // namespace

int main() try {
  say("two senders of {} bytes each; the limit is {} bytes in a tick of {} ms", kMessage, kPerTick,
      kTickTime.count());
  // The first tick's tokens are there from the start: with 8 ticks' worth, 7 have to pass.
  say("no limit: {} ticks", unlimited());
  say("each receiver has the limit: {} ticks", limited_each());
  say("the two receivers share it: {} ticks", limited_together());
} catch (const std::exception& error) {
  fmt::print(stderr, "rate_limit: {}\n", error.what());
  return 1;
}
