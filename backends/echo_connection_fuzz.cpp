#include <fuzzer/FuzzedDataProvider.h>
#include <sys/eventfd.h>

#include <array>
#include <cassert>
#include <limits>

#include "backends/echo_connection.hpp"
#include "backends/parts/failure.hpp"
#include "backends/scripted_socket.hpp"

namespace muxlab {
namespace {

ScriptedSocket* scripted = nullptr;
int scripted_fd = -1;

/// One connection from its first report to its end, in a loop such as that of backends/reactor.cpp.
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

  /// From here on the client behaves, and reports are never spurious: it has to come to an end, or
  /// the time is up.
  void end() {
    socket_.client_takes(std::numeric_limits<std::uint32_t>::max());
    // A client that sends nothing more need not end its side for us to end ours. A report may carry
    // a few bytes only, so it takes more than one.
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
