#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backends/parts/unique_fd.hpp"

/// What the checks play the other side of a connection with. Every socket is non-blocking; set-up
/// errors throw std::system_error.
namespace muxlab::exercise {

/// The two ends of a connection: one for the code under check, one for the check.
struct Pair {
  UniqueFd near;
  UniqueFd far;
};

/// Local sockets: what is sent has arrived when send(2) returns, and so nothing has to wait.
Pair unix_pair();
UniqueFd unix_listener();
/// Connected when it returns, be it accepted or not.
UniqueFd connect_to(const UniqueFd& unix_listener);

/// TCP over the loopback interface: what is sent arrives soon, and soon_ready() waits for it.
UniqueFd tcp_listener();
UniqueFd tcp_client(const UniqueFd& tcp_listener);
Pair tcp_pair();

/// Closes with a reset instead of an end of stream.
void reset(UniqueFd& socket);

/// Waits until poll(2) reports one of `events`; a minute at most, and then throws Wrong. What it
/// reports.
short soon_ready(int fd, short events);

/// `size` bytes that differ, so that one out of place is noticed.
std::string some_bytes(std::size_t size);

/// Sends as much as there is room for now. How much that was.
std::size_t send_now(const UniqueFd& socket, std::string_view data);

/// All that has arrived by now. `ended`, if given, tells whether the stream has ended.
std::string receive_now(const UniqueFd& socket, bool* ended = nullptr);

}  // namespace muxlab::exercise
