#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "bench/load/connections.hpp"
#include "bench/load/timeline.hpp"

namespace muxlab {

/// A server's address, ready for connect(2), and the user's text of it.
struct LoadTarget {
  std::string text;
  sockaddr_storage address{};
  socklen_t address_size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  [[nodiscard]] bool is_tcp() const { return address.ss_family != AF_UNIX; }
  /// Returns true for 127.0.0.0/8, where every address belongs to this machine.
  [[nodiscard]] bool is_ipv4_loopback() const;
};

/// Parses "HOST:PORT", "[IPV6]:PORT" or "unix:PATH". Returns all addresses of a name, IPv4 first.
/// Throws Failure: `usage` for any other form, `unavailable` if the name cannot be resolved.
std::vector<LoadTarget> resolve_targets(std::string_view text);

/// Returns the address to connect to. If the name has several, tries them in order and returns the
/// first that accepts a connection, because a server may listen on any of them. Throws like
/// resolve_targets(), and Failure (unavailable) that lists all addresses if none accepts.
LoadTarget find_target(std::string_view text);

/// Chooses source addresses, and moves to the next before an address runs out of ports.
///
/// First the kernel chooses. For a server in 127.0.0.0/8, 127.0.0.2 to 127.0.0.254 follow; each has
/// a full range of ports (ip(7), ip_local_port_range). Then the cycle restarts. For any other
/// server the kernel always chooses.
class SourceAddresses {
 public:
  /// Moves to the next address after `connections_each` connections. Linux searches free ports
  /// linearly, which takes milliseconds once most are taken.
  SourceAddresses(bool is_loopback, std::uint64_t connections_each)
      : last_(is_loopback ? 254 : kKernelsChoice), connections_each_(connections_each) {}

  /// Returns the address to bind(2) the next connection to; nullopt: the kernel chooses.
  [[nodiscard]] std::optional<in_addr> next();
  /// Moves to the next address now. Returns false if there is none.
  [[nodiscard]] bool advance();
  /// Moves back to the first address.
  void restart();

 private:
  static constexpr std::uint32_t kKernelsChoice = 1;

  std::uint32_t last_;
  std::uint64_t connections_each_;
  std::uint32_t current_ = kKernelsChoice;  // the last number of 127.0.0.x
  std::uint64_t connections_ = 0;           // from that address
};

/// A connecting socket, or the error.
struct Dialled {
  UniqueFd fd;
  int error = 0;  ///< an errno; EAGAIN: a Unix server's backlog is full, try again later
};

/// Starts one connection: non-blocking, close-on-exec, TCP_NODELAY. Closing it resets it, which
/// leaves no TIME_WAIT. The first send(2), once it is writable, reports a failed connect. Throws
/// std::system_error if no socket can be created.
Dialled dial(const LoadTarget& target, SourceAddresses& sources);

/// Connections opened at once, so that neither accept queue nor SYN queue overflows.
inline constexpr std::uint64_t kMaxUnderWay = 256;
/// Connections per source address. Linux assigns about 14,000 of its 28,000 ports quickly, because
/// connect(2) tries all even ports before an odd one.
inline constexpr std::uint64_t kMaxFromOneAddress = 10'000;
/// Messages of one connection that are likely to arrive together.
inline constexpr std::uint64_t kManyInFlight = 16;

/// How connections are opened.
struct EstablishLimits {
  std::uint64_t under_way;            ///< connections opened but not echoed yet, at most; >= 1
  std::uint64_t active_bytes;         ///< bytes that each active connection must echo
  std::chrono::nanoseconds patience;  ///< longest wait without progress
};

/// Opens all `connections` and waits for one echo on each (idle ones: of one byte). The echo proves
/// that the server serves the connection; one in the accept queue also looks open to a client.
///
/// Counts failed connections and leaves them closed. Returns early when the timeline ends, and
/// closes the connections that have not echoed. Throws Failure (unavailable) if ports run out, or
/// after `patience` without progress.
void establish(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const Timeline& timeline, const EstablishLimits& limits);

}  // namespace muxlab
