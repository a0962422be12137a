#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "bench/load/connections.hpp"
#include "bench/load/timeline.hpp"

namespace muxlab {

/// A server's address, ready for connect(2), and how the user wrote it.
struct LoadTarget {
  std::string text;
  sockaddr_storage address{};
  socklen_t address_size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  [[nodiscard]] bool is_tcp() const { return address.ss_family != AF_UNIX; }
  /// Whether it is in 127.0.0.0/8, where every address is this machine's own.
  [[nodiscard]] bool is_ipv4_loopback() const;
};

/// Reads "HOST:PORT", "[IPV6]:PORT" or "unix:PATH": all addresses of a name, IPv4 ones first.
/// Throws Failure: `usage` when it is none of these, `unavailable` when the name is not known.
std::vector<LoadTarget> resolve_targets(std::string_view text);

/// The one to connect to. Of several it tries one after the other, and takes the first to which a
/// connection comes up, for a server may listen at any of them. Throws as resolve_targets() does,
/// and Failure (unavailable) that names all of them when none answers.
LoadTarget find_target(std::string_view text);

/// The addresses that connections come from, one after the other before it runs out of ports.
///
/// First the one that the kernel chooses. To a server in 127.0.0.0/8 then 127.0.0.2, 127.0.0.3 and
/// so on up to 127.0.0.254, each of which has as many ports (ip(7), ip_local_port_range) to give.
/// After the last one comes the first again. To any other server there is the first one only.
class SourceAddresses {
 public:
  /// Linux looks for a free port one by one, and takes milliseconds for it once most are taken:
  /// better to go on to the next address after `connections_each`.
  SourceAddresses(bool is_loopback, std::uint64_t connections_each)
      : last_(is_loopback ? 254 : kKernelsChoice), connections_each_(connections_each) {}

  /// The address that the next connection is to bind(2) to; nothing: the kernel chooses.
  [[nodiscard]] std::optional<in_addr> next();
  /// Goes on to the next address at once; false after the last.
  [[nodiscard]] bool advance();
  /// Goes back to the first one.
  void restart();

 private:
  static constexpr std::uint32_t kKernelsChoice = 1;

  std::uint32_t last_;
  std::uint64_t connections_each_;
  std::uint32_t current_ = kKernelsChoice;  // the last number of 127.0.0.x
  std::uint64_t connections_ = 0;           // from that address
};

/// A socket whose connection is under way, or why there is none.
struct Dialled {
  UniqueFd fd;
  int error = 0;  ///< an errno; EAGAIN: a Unix server's backlog is full, try again later
};

/// Starts one connection: non-blocking, close-on-exec, without Nagle's delay, and one that leaves
/// no TIME_WAIT behind when it is closed. Whether it succeeds shows in the first send(2) once it is
/// writable. Throws std::system_error when a socket cannot be made at all.
Dialled dial(const LoadTarget& target, SourceAddresses& sources);

/// Opened at once: so that neither an accept queue nor a list of half-open connections overflows.
inline constexpr std::uint64_t kMaxUnderWay = 256;
/// Well below the 14,000 that Linux gives away quickly of its 28,000 ports: connect(2) goes through
/// all the even ones before it tries an odd one.
inline constexpr std::uint64_t kMaxFromOneAddress = 10'000;
/// Messages of one connection that are likely to arrive at once.
inline constexpr std::uint64_t kManyInFlight = 16;

/// How connections are opened.
struct EstablishLimits {
  std::uint64_t under_way;            ///< at once, until each has echoed; 1 or more
  std::uint64_t active_bytes;         ///< that an active connection has to echo
  std::chrono::nanoseconds patience;  ///< to wait while nothing happens
};

/// Opens all of `connections` and has each echo once, so that the server is known to serve it: a
/// connection that only waits in an accept queue looks open from here. Idle ones echo one byte.
///
/// Counts those that fail and leaves them closed. Returns early when the timeline ends, and closes
/// those that have not echoed by then. Throws Failure (unavailable) when ports run out, or when
/// nothing happens for `patience`.
void establish(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const Timeline& timeline, const EstablishLimits& limits);

}  // namespace muxlab
