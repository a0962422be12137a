#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

/// What states of sockets are made with. Each step returns only when the kernel has come so far:
/// over loopback that takes no time, but a softirq may be late.
namespace muxlab::behaviour {

/// Two ends of a TCP connection over loopback, non-blocking, and without a sender's delays.
struct TcpPair {
  UniqueFd ours, theirs;
};
TcpPair connect_tcp();

/// A socket with a loopback port to itself, one that listens there, too, and one that begins to
/// connect to it.
UniqueFd bind_tcp();
UniqueFd listen_tcp();
UniqueFd begin_connect(int to_port_of);

void peer_sends(const TcpPair& pair, std::size_t bytes);
void peer_ends(const TcpPair& pair);
void peer_resets(TcpPair& pair);
void end_sending(int fd);
/// Sends to the peer until no byte more is taken, and none is on its way that would make room.
void fill(const TcpPair& pair);

/// The connection's state, TCP_CLOSE and so on of netinet/tcp.h.
int tcp_state(int fd);
void await_tcp_state(int fd, int state);
/// Asks poll(2), which changes nothing.
void await_event(int fd, short event);

/// Closes with a reset.
void reset(UniqueFd& fd);
/// Returns when whatever this thread's processor sent over loopback before has arrived; the thread
/// is to stay on one processor.
void settle();

/// Waits until `holds()`, some seconds at most. Throws Failure that names `what` was waited for.
void give_up_waiting(std::string_view what);
bool pause(int& pauses);
template <typename Condition>
void await(std::string_view what, Condition holds) {
  for (int pauses = 0; !holds();) {
    if (!pause(pauses)) give_up_waiting(what);
  }
}

/// "4 bytes", "end of stream" or an error's name, of a call's result; errno is read.
std::string show_received(ssize_t result);
std::string show_sent(ssize_t result);
std::string error_name(int error);

}  // namespace muxlab::behaviour
