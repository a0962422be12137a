#include "bench/load_dial.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

void set_option(int fd, int level, int option, const void* value, socklen_t size) {
  checked(::setsockopt(fd, level, option, value, size), "setsockopt");
}

void prepare(int fd) {
  const int on = 1;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // BBR, the default on many machines, paces even loopback with timers. Every kernel has Reno.
  constexpr char reno[] = "reno";
  set_option(fd, IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
  // A reset instead of a farewell: thousands of connections in TIME_WAIT would hold their ports for
  // a minute and starve the next run. Nothing is lost, for all that was sent is back by then.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  set_option(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void bind_to(int fd, in_addr address) {
  const int on = 1;
  // Without it bind() would take a port that no other connection from here may use, wherever to.
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr = address;
  checked(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
}

}  // namespace

std::optional<in_addr> SourceAddresses::next() {
  if (connections_ >= connections_each_ && !advance()) restart();
  ++connections_;
  if (current_ == kKernelsChoice) return std::nullopt;
  return in_addr{htonl(INADDR_LOOPBACK - kKernelsChoice + current_)};
}

bool SourceAddresses::advance() {
  if (current_ >= last_) return false;
  ++current_;
  connections_ = 0;
  return true;
}

void SourceAddresses::restart() {
  current_ = kKernelsChoice;
  connections_ = 0;
}

Dialled dial(const LoadTarget& target, SourceAddresses& sources) {
  while (true) {
    UniqueFd fd(
        checked(::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                "socket"));
    if (target.is_tcp()) prepare(fd.get());
    if (const auto source = sources.next()) bind_to(fd.get(), *source);
    if (::connect(fd.get(), target.get(), target.address_size) == 0) return {std::move(fd)};
    const int error = errno;
    if (error == EINPROGRESS || error == EINTR) return {std::move(fd)};
    if (error != EADDRNOTAVAIL || !sources.advance()) return {UniqueFd(), error};
  }
}

}  // namespace muxlab
