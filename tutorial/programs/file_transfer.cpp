#include <malloc.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include <array>
#include <string>

#include "tutorial/programs/bytes.hpp"
#include "tutorial/programs/libevent_handles.hpp"

/// file_transfer: libevent sends a file without reading it. The output of a bufferevent takes a
/// reference to the file, and sendfile(2) has the kernel move the bytes to the socket.
using namespace tutorial;

namespace {

int sendfile_calls = 0;

}  // namespace

/// libevent finds this function before that of the C library, as everything in this program does:
/// the way to see what a library calls.
extern "C" ssize_t sendfile(int to, int from, off_t* offset, std::size_t count) noexcept {
  ++sendfile_calls;
  return ::syscall(SYS_sendfile, to, from, offset, count);
}

namespace {

constexpr std::size_t kFileSize = 16 << 20;

std::size_t heap_size() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Puts the file into the output of a bufferevent; frees that when all is sent.
void send_file(event_base* base, Fd socket, Fd file) {
  bufferevent* const stream = own(bufferevent_socket_new(base, socket.get(), BEV_OPT_CLOSE_ON_FREE),
                                  "bufferevent_socket_new")
                                  .release();
  static_cast<void>(socket.release());
  const auto over = [](bufferevent* sent, void*) noexcept { bufferevent_free(sent); };
  const auto failed = [](bufferevent* sent, short, void*) noexcept { bufferevent_free(sent); };
  bufferevent_setcb(stream, nullptr, over, failed, nullptr);
  evbuffer* const output = bufferevent_get_output(stream);
  const std::size_t before = heap_size();
  // The buffer owns the descriptor from here on.
  require(evbuffer_add_file(output, file.release(), 0, kFileSize), "evbuffer_add_file");
  say("to be sent: {} bytes; they take {} bytes of memory", evbuffer_get_length(output),
      heap_size() - before);
}

void receive(bufferevent* from, void* received) noexcept {
  std::array<char, 16 << 10> buffer;
  while (const std::size_t size = bufferevent_read(from, buffer.data(), buffer.size())) {
    static_cast<std::string*>(received)->append(buffer.data(), size);
  }
}

/// The other side, until the end of the stream.
Owned<bufferevent> receive_file(event_base* base, Fd socket, std::string& received) {
  check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "fcntl");
  auto stream = own(bufferevent_socket_new(base, socket.get(), BEV_OPT_CLOSE_ON_FREE),
                    "bufferevent_socket_new");
  static_cast<void>(socket.release());
  const auto ended = [](bufferevent* s, short, void*) noexcept {
    event_base_loopbreak(bufferevent_get_base(s));
  };
  bufferevent_setcb(stream.get(), receive, nullptr, ended, &received);
  require(bufferevent_enable(stream.get(), EV_READ), "bufferevent_enable");
  return stream;
}

}  // namespace

int main() try {
  ignore_broken_pipes();
  const auto base = own(event_base_new(), "event_base_new");
  const Fd listener = listen_on(0);
  const std::string bytes = make_bytes(kFileSize);
  std::string received;
  const auto stream = receive_file(base.get(), connect_to(port_of(listener.get())), received);
  send_file(base.get(), accept_client(listener.get(), SOCK_NONBLOCK), make_file(bytes));
  require(event_base_dispatch(base.get()), "event_base_dispatch");
  say("libevent called sendfile() {} times", sendfile_calls);
  say("received: {} bytes, {}", received.size(), received == bytes ? "all the same" : "DIFFERENT");
  return received == bytes ? 0 : 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "file_transfer: {}\n", error.what());
  return 1;
}
