#include <fuzzer/FuzzedDataProvider.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "backends/echo_connection.hpp"
#include "backends/parts/failure.hpp"
#include "backends/poller.hpp"

namespace muxlab {
namespace {

/// A stream socket, its client and its place in a poller, which all follow a script; for fuzzing.
///
/// Asserts which calls on the socket are allowed, and when. The client sends a pattern, so a lost,
/// doubled or moved byte differs from the expected one.
class ScriptedSocket {
 public:
  ScriptedSocket(FuzzedDataProvider& script, Trigger trigger)
      : script_(script), trigger_(trigger), room_(script.ConsumeIntegral<std::uint8_t>()) {}

  // Actions of the client and the network.
  void client_sends() {
    if (end_ != End::none) return;
    came_ += script_.ConsumeIntegralInRange<std::uint64_t>(1, 80);
    if (waited_for_ == Interest::read) report_due_ = true;
  }
  void client_takes(std::uint64_t bytes) {
    room_ += bytes;
    if (waited_for_ == Interest::write) report_due_ = true;
  }
  void client_ends() { end(End::of_stream); }
  void client_resets() {
    if (script_.ConsumeBool()) came_ = received_;  // unreceived bytes may be lost, or not
    end(End::reset);
  }
  void something_happens() {
    switch (script_.ConsumeIntegralInRange(0, 9)) {
      case 1:
        return client_sends();
      case 2:
        return client_takes(script_.ConsumeIntegral<std::uint8_t>());
      case 3:
        return client_ends();
      case 4:
        return client_resets();
      default:
        return;
    }
  }

  // The system calls.
  ssize_t receive(std::span<std::byte> buffer, int flags) {
    assert(flags == 0 && !buffer.empty() && buffer.size() <= kLongestRun);
    assert(!over_ && "received after the end or an error");
    assert(!has_unsent() && "received before all was sent");
    ++calls_to_receive_;
    drained_ = false;
    if (is_interrupted()) return fail(EINTR);
    const std::uint64_t there = came_ - received_;
    if (there == 0) return receive_nothing();
    std::size_t size = std::min<std::uint64_t>(there, buffer.size());
    // Level-triggered code must not care why a receive is short; edge-triggered code relies on it.
    if (trigger_ == Trigger::level)
      size -= script_.ConsumeIntegralInRange<std::size_t>(0, size - 1);
    std::ranges::copy(pattern(received_, size), buffer.begin());
    received_ += size;
    if (!shut_) {
      to_echo_ = received_;
      ++receives_to_echo_;
    }
    return static_cast<ssize_t>(size);
  }
  ssize_t send(std::span<const std::byte> data, int flags) {
    assert((flags & MSG_NOSIGNAL) != 0);
    assert(!over_ && "sent after the end or an error");
    assert(!shut_ && "sent after it ended its side");
    assert(data.size() == to_echo_ - sent_ && "does not offer all that is unsent");
    assert(std::ranges::equal(data, pattern(sent_, data.size())) && "not the received bytes");
    if (is_interrupted()) return fail(EINTR);
    if (end_ == End::reset) return fail_for_good(script_.ConsumeBool() ? EPIPE : ECONNRESET);
    if (room_ == 0) return fail(EAGAIN);
    const std::uint64_t size = std::min<std::uint64_t>(room_, data.size());
    room_ -= size;
    sent_ += size;
    return static_cast<ssize_t>(size);
  }
  int shut_down(int how) {
    assert(how == SHUT_WR);
    assert(drained_ && !has_unsent() && "ended its side before all that came was sent");
    assert(!shut_ && !over_);
    shut_ = true;
    return end_ == End::reset ? static_cast<int>(fail(ENOTCONN)) : 0;
  }

  // The poller: epoll(7) with EPOLLET | EPOLLRDHUP if edge-triggered.
  void wait_for(Interest interest) {
    waited_for_ = interest;
    report_due_ = is_ready() || end_ != End::none;
  }
  /// Returns how often the descriptor is reported; as in backends/epoll.cpp, twice with an end.
  int take_reports() {
    if (trigger_ == Trigger::level) return is_ready() ? 1 : 0;
    if (!std::exchange(report_due_, false)) return 0;
    return end_ == End::none ? 1 : 2;
  }
  /// Returns true if the awaited event is there already, and no edge will ever report it.
  [[nodiscard]] bool has_lost_edge() const {
    return trigger_ == Trigger::edge && is_ready() && !report_due_;
  }

  // What happened so far.
  [[nodiscard]] bool has_unsent() const { return sent_ < to_echo_; }
  [[nodiscard]] bool shut() const { return shut_; }
  [[nodiscard]] bool over() const { return over_; }  ///< the end or an error was reported
  [[nodiscard]] bool was_reset() const { return end_ == End::reset; }
  [[nodiscard]] std::uint64_t came() const { return came_; }
  [[nodiscard]] std::uint64_t to_echo() const { return to_echo_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] int calls_to_receive() const { return calls_to_receive_; }
  [[nodiscard]] std::uint64_t receives_to_echo() const { return receives_to_echo_; }

 private:
  enum class End : std::uint8_t { none, of_stream, reset };

  static constexpr std::size_t kPeriod = 32'749;  ///< a prime: no buffer's size divides it
  static constexpr std::size_t kLongestRun = 64;

  /// Returns the bytes that the client sends from `position` on.
  static std::span<const std::byte> pattern(std::uint64_t position, std::size_t size) {
    static const auto bytes = [] {
      std::array<std::byte, kPeriod + kLongestRun> all{};
      for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<std::byte>(i % kPeriod * 0x9e37'79b9'7f4a'7c15 >> 56);
      }
      return all;
    }();
    return std::span(bytes).subspan(position % kPeriod, size);
  }
  static ssize_t fail(int error) {
    errno = error;
    return -1;
  }
  ssize_t fail_for_good(int error) {
    over_ = true;
    return fail(error);
  }
  ssize_t receive_nothing() {
    if (end_ == End::reset) return fail_for_good(ECONNRESET);
    over_ = end_ == End::of_stream;
    drained_ = !over_;
    return over_ ? 0 : fail(EAGAIN);
  }
  /// Lets the client act, and a signal come, in every call.
  bool is_interrupted() {
    something_happens();
    return script_.ConsumeIntegralInRange(0, 7) == 1;
  }
  void end(End end) {
    if (end_ == End::reset) return;
    end_ = end;
    report_due_ = true;
  }
  [[nodiscard]] bool is_ready() const {
    if (waited_for_ == Interest::write) return room_ > 0 || end_ == End::reset;
    return came_ > received_ || end_ != End::none;
  }

  FuzzedDataProvider& script_;
  const Trigger trigger_;
  std::uint64_t room_;      ///< how much can be sent
  std::uint64_t came_ = 0;  ///< all four are positions in the stream
  std::uint64_t received_ = 0;
  std::uint64_t to_echo_ = 0;  ///< received before this side was shut
  std::uint64_t sent_ = 0;
  std::uint64_t receives_to_echo_ = 0;
  int calls_to_receive_ = 0;
  End end_ = End::none;
  Interest waited_for_ = Interest::read;
  bool report_due_ = false;
  bool drained_ = false;  ///< the last receive found nothing
  bool shut_ = false;
  bool over_ = false;
};

ScriptedSocket* scripted = nullptr;
int scripted_fd = -1;

/// One connection from its first report to its end, in a loop like that of backends/reactor.cpp.
class Life {
 public:
  explicit Life(FuzzedDataProvider& script)
      : script_(script),
        trigger_(script.ConsumeBool() ? Trigger::edge : Trigger::level),
        scratch_size_(script.ConsumeIntegralInRange<std::size_t>(4, scratch_.size())),
        socket_(script, trigger_),
        connection_(UniqueFd(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"))) {
    scripted = &socket_;
    scripted_fd = connection_.fd();
  }

  void run() {
    while (script_.remaining_bytes() > 0 && !socket_.over()) take_step();
    end();
  }

 private:
  void take_step() {
    switch (script_.ConsumeIntegralInRange(0, 7)) {
      case 0:
        return advance();  // a report that is spurious, or late
      case 1:
        return begin_drain();
      case 2:
      case 3:
      case 4:
        return handle_reports();
      default:
        return socket_.something_happens();
    }
  }

  void begin_drain() {
    if (std::exchange(draining_, true)) return;
    connection_.begin_drain();
    advance();
  }

  void handle_reports() {
    for (int left = socket_.take_reports(); left > 0 && !socket_.over(); --left) advance();
    assert(socket_.over() || !socket_.has_lost_edge());
  }

  void advance() {
    const Interest waited_for = connection_.interest();
    const int calls_before = socket_.calls_to_receive();
    const std::uint64_t receives_before = socket_.receives_to_echo();
    const Next next =
        connection_.advance(std::span(scratch_).first(scratch_size_), trigger_, stats_);
    check(next, socket_.calls_to_receive() - calls_before);
    if (trigger_ == Trigger::level && !draining_) {
      assert(socket_.receives_to_echo() - receives_before <= 1);
    }
    if (next == Next::over) return;
    if (next == Next::yield || connection_.interest() != waited_for) {
      socket_.wait_for(connection_.interest());
    }
  }

  void check(Next next, int calls_to_receive) {
    assert(stats_.bytes_in.get() == socket_.to_echo());
    assert(stats_.bytes_out.get() == socket_.sent());
    assert(stats_.echoes.get() + (socket_.has_unsent() ? 1 : 0) == socket_.receives_to_echo());
    assert((next == Next::over) == socket_.over());
    assert(calls_to_receive <= EchoConnection::kReceivesPerTurn);
    if (next == Next::yield) assert(calls_to_receive == EchoConnection::kReceivesPerTurn);
    if (next == Next::over) return;
    assert((next == Next::write) == socket_.has_unsent());
    const bool drains_on = next == Next::yield && draining_ && !socket_.shut();
    assert((connection_.interest() == Interest::write) == (socket_.has_unsent() || drains_on));
    if (next == Next::read) assert(socket_.shut() == draining_);
  }

  /// From here on the client behaves, and reports are never spurious: the connection has to end, or
  /// time is up.
  void end() {
    socket_.client_takes(std::numeric_limits<std::uint32_t>::max());
    // The server must end its side even if the client does not. A report may carry a few bytes
    // only, so this takes more than one.
    constexpr int kEnoughReports = 1 << 16;
    for (int i = 0; draining_ && !socket_.shut() && !socket_.over(); ++i) {
      assert(i < kEnoughReports);
      handle_reports();
    }
    socket_.client_ends();
    while (!socket_.over()) handle_reports();
    if (socket_.was_reset()) return;
    assert(socket_.shut() || socket_.sent() == socket_.came());
  }

  FuzzedDataProvider& script_;
  std::array<std::byte, 16> scratch_{};
  const Trigger trigger_;
  const std::size_t scratch_size_;
  ScriptedSocket socket_;
  EchoConnection connection_;
  WorkerStats stats_;
  bool draining_ = false;
};

}  // namespace
}  // namespace muxlab

extern "C" {

ssize_t recv(int fd, void* data, size_t size, int flags) {
  assert(fd == muxlab::scripted_fd);
  return muxlab::scripted->receive({static_cast<std::byte*>(data), size}, flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  assert(fd == muxlab::scripted_fd);
  return muxlab::scripted->send({static_cast<const std::byte*>(data), size}, flags);
}

int shutdown(int fd, int how) noexcept {
  assert(fd == muxlab::scripted_fd);
  return muxlab::scripted->shut_down(how);
}

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider script(data, size);
  muxlab::Life(script).run();
  return 0;
}

}  // extern "C"
