#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "backends/parts/failure.hpp"
#include "server/inspect/behaviour_scene.hpp"
#include "server/inspect/behaviour_socket.hpp"

/// The states of TCP connections.
namespace muxlab::behaviour {
namespace {

Scene scene_of(TcpPair pair) {
  Scene scene{.watched = std::move(pair.ours), .kept = {}};
  scene.kept.push_back(std::move(pair.theirs));
  return scene;
}

Scene never_connected() {
  return {
      UniqueFd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")),
      {}};
}

/// A listener with a full queue drops further SYNs, so the connect gets no answer.
Scene connecting() {
  Scene scene;
  scene.kept.push_back(listen_tcp());
  const int listener = scene.kept[0].get();
  checked(::listen(listener, 0), "listen");
  scene.kept.push_back(begin_connect(listener));
  await_event(listener, POLLIN);
  scene.watched = begin_connect(listener);
  return scene;
}

/// A bound port without a listener refuses connections, and no other process can take it.
Scene refused() {
  Scene scene;
  scene.kept.push_back(bind_tcp());
  scene.watched = begin_connect(scene.kept[0].get());
  await_tcp_state(scene.watched.get(), TCP_CLOSE);
  return scene;
}

Scene idle() { return scene_of(connect_tcp()); }

Scene data() {
  TcpPair pair = connect_tcp();
  peer_sends(pair, 4);
  return scene_of(std::move(pair));
}

Scene urgent_byte() {
  TcpPair pair = connect_tcp();
  checked(static_cast<int>(::send(pair.theirs.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL)), "send");
  await("urgent data", [&] {
    char byte = 0;
    return ::recv(pair.ours.get(), &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT) == 1;
  });
  return scene_of(std::move(pair));
}

Scene peer_fin() {
  TcpPair pair = connect_tcp();
  peer_ends(pair);
  return scene_of(std::move(pair));
}

Scene data_and_fin() {
  TcpPair pair = connect_tcp();
  peer_sends(pair, 4);
  peer_ends(pair);
  return scene_of(std::move(pair));
}

Scene own_fin() {
  TcpPair pair = connect_tcp();
  end_sending(pair.ours.get());
  await_tcp_state(pair.ours.get(), TCP_FIN_WAIT2);
  return scene_of(std::move(pair));
}

Scene own_shut_read() {
  TcpPair pair = connect_tcp();
  checked(::shutdown(pair.ours.get(), SHUT_RD), "shutdown");
  return scene_of(std::move(pair));
}

Scene fin_both_ways() {
  TcpPair pair = connect_tcp();
  peer_ends(pair);
  end_sending(pair.ours.get());
  await_tcp_state(pair.ours.get(), TCP_CLOSE);
  return scene_of(std::move(pair));
}

Scene peer_rst() {
  TcpPair pair = connect_tcp();
  peer_resets(pair);
  return scene_of(std::move(pair));
}

Scene data_and_rst() {
  TcpPair pair = connect_tcp();
  peer_sends(pair, 4);
  peer_resets(pair);
  return scene_of(std::move(pair));
}

Scene rst_read_once() {
  Scene scene = peer_rst();
  char byte = 0;
  if (::recv(scene.watched.get(), &byte, 1, 0) != -1 || errno != ECONNRESET) throw_errno("recv");
  return scene;
}

Scene send_full() {
  TcpPair pair = connect_tcp();
  fill(pair);
  return scene_of(std::move(pair));
}

Scene send_full_and_rst() {
  TcpPair pair = connect_tcp();
  fill(pair);
  peer_resets(pair);
  return scene_of(std::move(pair));
}

void close_it(Scene& scene) { scene.watched.reset(); }

/// Frees the descriptor number, while a duplicate keeps the open file description alive.
void close_it_and_keep_a_duplicate(Scene& scene) {
  TcpPair pair{UniqueFd(checked(::dup(scene.watched.get()), "dup")), std::move(scene.kept[0])};
  scene.watched.reset();
  peer_sends(pair, 4);
  scene.kept.clear();
  scene.kept.push_back(std::move(pair.ours));
  scene.kept.push_back(std::move(pair.theirs));
}

constexpr std::array kConnectionStates = {
    State{"never connected",
          "A socket that was made and not yet connected counts as hung up: watch "
          "it after connect(2), not before.",
          "tcp(7)", never_connected},
    State{"connecting", "Nothing has answered yet. Writable is what tells that it has.",
          "connect(2)", connecting},
    State{"connection refused",
          "Everything at once; the reason is in SO_ERROR, or in the next call, once.", "connect(2)",
          refused},
    State{"idle",
          "Nothing to receive, room to send: who asks for room to write without having "
          "anything to write never sleeps.",
          "poll(2)", idle},
    State{"data", "Four bytes to receive.", "poll(2)", data},
    State{"urgent byte", "An urgent byte is exceptional, not readable, and is not in the stream.",
          "tcp(7)", urgent_byte},
    State{"peer FIN", "The end of the stream is readable, for good; sending still works.",
          "poll(2)", peer_fin},
    State{"data and peer FIN",
          "One report for both: RDHUP tells of the end before the data is taken.", "epoll_ctl(2)",
          data_and_fin},
    State{"own SHUT_WR", "Our side has ended: writable all the same, for a send(2) fails at once.",
          "shutdown(2)", own_fin},
    State{"own SHUT_RD", "Looks like the peer's end of stream, though the peer may go on to send.",
          "shutdown(2)", own_shut_read},
    State{"FIN both ways", "Hung up, which is reported to those who asked for nothing, too.",
          "poll(2)", fin_both_ways},
    State{"peer RST", "A reset is everything at once, asked for or not. The error is told once.",
          "tcp(7)", peer_rst},
    State{"data and peer RST", "What came before the reset can still be received, then the error.",
          "tcp(7)", data_and_rst},
    State{"peer RST, error read",
          "The error is gone, and what is left looks like an end of stream.", "tcp(7)",
          rst_read_once},
    State{"send buffer full", "Nothing is reported until the peer reads: this is backpressure.",
          "epoll(7)", send_full},
    State{"send buffer full, then RST",
          "What could not be sent is gone, and so there is room again.", "tcp(7)",
          send_full_and_rst},
    State{"closed while watched",
          "select(2) fails as a whole, poll(2) says which one it is, and "
          "epoll(7) has forgotten it without a word.",
          "epoll(7)", idle, NextCalls::socket, false, close_it},
    State{"closed, a duplicate lives",
          "epoll(7) watches open files, not numbers: it goes on to report a descriptor that is "
          "closed, and cannot be told to stop.",
          "epoll(7)", idle, NextCalls::socket, false, close_it_and_keep_a_duplicate},
};

}  // namespace

std::span<const State> connection_states() { return kConnectionStates; }

}  // namespace muxlab::behaviour
