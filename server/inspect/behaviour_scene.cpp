#include "server/inspect/behaviour_scene.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "server/inspect/behaviour_socket.hpp"

namespace muxlab::behaviour {
namespace {

using Lines = std::vector<std::string>;

/// Twice, since an error is told once.
Lines call_socket(int fd) {
  std::array<char, 64> buffer{};
  const auto receive = [&] {
    return "recv " + show_received(::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT));
  };
  const auto send = [&] {
    return "send " + show_sent(::send(fd, "?", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
  };
  return {receive(), receive(), send()};
}

Lines call_file(int fd) {
  std::array<char, 64> buffer{};
  return {"read " + show_received(::read(fd, buffer.data(), buffer.size())),
          "write " + show_sent(::write(fd, "?", 1))};
}

Lines call_event_counter(int fd) {
  std::uint64_t count = 0;
  const auto read = [&] { return "read " + show_received(::read(fd, &count, sizeof count)); };
  const std::uint64_t one = 1;
  Lines lines = {"write " + show_sent(::write(fd, &one, sizeof one))};
  lines.push_back(read());
  lines.push_back(read());
  return lines;
}

Lines call_accept(int fd) {
  const UniqueFd accepted(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted) return {"accept " + error_name(errno)};
  Lines lines = {"accept works"};
  char byte = 0;
  lines.push_back("recv " + show_received(::recv(accepted.get(), &byte, 1, 0)));
  return lines;
}

}  // namespace

std::vector<State> states() {
  std::vector<State> all;
  for (const auto part : {connection_states(), listener_states(), other_states()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<std::string> call_next(int fd, NextCalls calls) {
  switch (calls) {
    case NextCalls::socket:
      return call_socket(fd);
    case NextCalls::file:
      return call_file(fd);
    case NextCalls::event_counter:
      return call_event_counter(fd);
    case NextCalls::accept:
      return call_accept(fd);
  }
  return {};
}

}  // namespace muxlab::behaviour
