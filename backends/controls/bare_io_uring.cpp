#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "backends/io_uring.hpp"
#include "backends/ring.hpp"

namespace muxlab {
namespace {

/// io_uring as its examples use it: a multishot receive for each connection, into buffers that the
/// kernel picks, and a send for each result. It measures what io-uring adds or saves, and is no
/// server. It drops a client whose echo cannot be sent at once, receives from a client that does
/// not read until all buffers are used up, and stops without draining.
class BareRing {
 public:
  explicit BareRing(Worker& worker) : worker_(worker) { buffers_.offer_to(ring_); }

  void run() {
    watch(worker_.stop, Kind::stop);
    watch(worker_.source.fd(), Kind::source);
    while (!is_stopping_) {
      // Sends complete while they are submitted: wait for them, and for one more completion.
      ring_.submit_and_wait(std::exchange(sends_, 0) + 1);
      const unsigned count = ring_.ready();
      for (unsigned i = 0; i < count; ++i) handle(ring_.completion(i));
      ring_.seen(count);
      buffers_.publish();
    }
    for (std::size_t fd = 0; fd < is_open_.size(); ++fd) {
      if (is_open_[fd]) close(static_cast<int>(fd));
    }
  }

 private:
  enum class Kind : std::uint8_t { receive, send, source, stop };

  void handle(const io_uring_cqe& completion) {
    const int fd = fd_of(completion);
    switch (kind_of<Kind>(completion)) {
      case Kind::receive:
        return received(fd, completion);
      case Kind::send:
        return sent(fd, sent_buffer_of(completion), completion.res);
      case Kind::source:
        while (Taken socket = worker_.source.take()) serve(socket->release());
        return watch(worker_.source.fd(), Kind::source);
      case Kind::stop:
        is_stopping_ = true;
    }
  }

  void watch(int fd, Kind kind) { ring_.prepare_poll(fd, user_data_of(kind, fd)); }

  void serve(int fd) {
    is_open_.resize(std::max(is_open_.size(), static_cast<std::size_t>(fd) + 1));
    is_open_[static_cast<std::size_t>(fd)] = true;
    worker_.count_accepted();
    receive(fd);
  }

  void receive(int fd) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_recv_multishot(entry, fd, nullptr, 0, 0);
    BufferRing::pick_for(*entry);
    entry->user_data = user_data_of(Kind::receive, fd);
  }

  void received(int fd, const io_uring_cqe& completion) {
    const bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (completion.res > 0) {
      const BufferRing::Id buffer = buffers_.take(completion);
      send(fd, buffer, static_cast<unsigned>(completion.res));
    } else if (completion.res != -ENOBUFS && !goes_on) {
      return close(fd);
    }
    if (!goes_on) receive(fd);
  }

  void send(int fd, BufferRing::Id buffer, unsigned size) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_send(entry, fd, buffers_.data(buffer), size,
                       MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
    entry->user_data = user_data_of(Kind::send, fd, buffer);
    ++sends_;
    sizes_[buffer] = size;
    worker_.stats.bytes_in.add(size);
    worker_.stats.bytes_out.add(size);
    ++worker_.stats.echoes;
  }

  void sent(int fd, BufferRing::Id buffer, int result) {
    buffers_.give_back(buffer);
    if (result == static_cast<int>(sizes_[buffer])) return;
    worker_.stats.bytes_out.take_back(sizes_[buffer]);
    worker_.stats.echoes.take_back(1);
    ::shutdown(fd, SHUT_RDWR);  // its receive reports this
  }

  void close(int fd) {
    is_open_[static_cast<std::size_t>(fd)] = false;
    ::close(fd);
    worker_.close_done();
  }

  static constexpr unsigned kBuffers = 1024;

  Worker& worker_;
  bool is_stopping_ = false;
  unsigned sends_ = 0;  ///< prepared since the last call
  std::vector<bool> is_open_;
  std::vector<unsigned> sizes_ = std::vector<unsigned>(kBuffers);  ///< of sends, by buffer
  BufferRing buffers_{kBuffers, kBufferSize};
  Ring ring_{1024, 4096};
};

}  // namespace

extern const Backend bare_io_uring_backend{
    .name = "bare-io-uring",
    .summary = "control: io_uring with multishot receives, and nothing around it",
    .probe = probe_io_uring,
    .serve = [](Worker& worker) { BareRing(worker).run(); },
    // A send posts a completion, too.
    .calls = CallsPerEcho{.events = 2, .read = 0, .write = 0},
};

}  // namespace muxlab
