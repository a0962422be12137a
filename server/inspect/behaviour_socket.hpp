#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

/// Functions that bring sockets into a state. connect_tcp(), fill() and the peer_ functions return
/// when the kernel has reached the state: at once over loopback, unless a softirq is late. They
/// throw std::system_error when a call fails, and Failure when the kernel does not get there.
namespace muxlab::behaviour {

/// The ends of a TCP connection over loopback: non-blocking, with TCP_NODELAY and without pacing.
struct TcpPair {
  UniqueFd ours, theirs;
};
TcpPair connect_tcp();

/// Return a non-blocking socket: bound to a free loopback port; listening on one; with a begun
/// connect(2) to the port of `to_port_of`.
UniqueFd bind_tcp();
UniqueFd listen_tcp();
UniqueFd begin_connect(int to_port_of);

void peer_sends(const TcpPair& pair, std::size_t bytes);
void peer_ends(const TcpPair& pair);
void peer_resets(TcpPair& pair);
void end_sending(int fd);
/// Sends to the peer until the send buffer is full and all segments on the way are acknowledged.
void fill(const TcpPair& pair);

/// Returns the connection's state: TCP_CLOSE and so on of netinet/tcp.h.
int tcp_state(int fd);
void await_tcp_state(int fd, int state);
/// Waits until poll(2) reports `event`, which consumes nothing.
void await_event(int fd, short event);

/// Closes with a reset.
void reset(UniqueFd& fd);
/// Returns when all packets that this thread's processor sent over loopback have arrived.
/// Requires that the thread stays on one processor.
void settle();

/// Waits until `holds()`. Throws Failure after some 10 s, which names the condition `what`.
void give_up_waiting(std::string_view what);
bool pause(int& pauses);
template <typename Condition>
void await(std::string_view what, Condition holds) {
  for (int pauses = 0; !holds();) {
    if (!pause(pauses)) give_up_waiting(what);
  }
}

/// Return a call's result as "4 bytes", "0 bytes: the end" (received only) or the name of errno.
std::string show_received(ssize_t result);
std::string show_sent(ssize_t result);
std::string error_name(int error);

}  // namespace muxlab::behaviour
