#include <array>
#include <semaphore>
#include <span>
#include <thread>

#include "tutorial/programs/sockets.hpp"

/// thread_echo [PORT]: an echo server with a thread for each connection. Each of them waits in
/// recv() or send(), and nobody waits for another client.
using namespace tutorial;

namespace {

bool send_all(int client, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

void echo(int client) {
  std::array<char, 16 << 10> buffer;
  for (;;) {
    const ssize_t received = ::recv(client, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return;
    if (!send_all(client, std::span(buffer).first(static_cast<std::size_t>(received)))) return;
  }
}

/// A place for each client that there may be: whoever comes when all are taken waits in the
/// listener's queue, where it costs no thread and no descriptor.
using Places = std::counting_semaphore<>;

/// The thread owns the socket from its first to its last moment.
void start_thread(Fd socket, Places& places) try {
  std::thread([client = std::move(socket), &places]() mutable {
    echo(client.get());
    client.reset();
    places.release();
  }).detach();
} catch (const std::system_error& error) {
  say("no thread for this client: {}", error.what());  // its socket is closed already
  places.release();
}

void serve(int listener, Places& places) {
  for (;;) {
    places.acquire();
    start_thread(accept_client(listener), places);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  exit_on_signal();
  const Fd listener = listen_on(port_argument(argc, argv));
  // Not a local of main: the threads use it until the process ends.
  static Places places(static_cast<std::ptrdiff_t>(most_clients()));
  say_port(listener.get());
  serve(listener.get(), places);
} catch (const std::exception& error) {
  fmt::print(stderr, "thread_echo: {}\n", error.what());
  return 1;
}
