#include "bench/load/dial.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

[[noreturn]] void reject(std::string_view text, std::string_view expected) {
  throw Failure(ExitCode::usage, fmt::format("--connect \"{}\": {}", text, expected));
}

/// Splits `text` into host and port.
std::pair<std::string, std::string> split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) reject(text, "expected HOST:PORT, [IPV6]:PORT or unix:PATH");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    reject(text, "put an IPv6 address in brackets: [IPV6]:PORT");
  }
  if (host.empty()) reject(text, "expected a host before the port");

  std::uint16_t number = 0;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size() || number == 0) {
    reject(text, "expected a port from 1 to 65535");
  }
  return {std::string(host), std::string(port)};
}

std::vector<LoadTarget> resolve_tcp(std::string_view text) {
  const auto [host, port] = split(text);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    throw Failure(ExitCode::unavailable, fmt::format("--connect {}: no address for {}: {}", text,
                                                     host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  std::vector<LoadTarget> all;
  for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    LoadTarget& target = all.emplace_back();
    target.text = text;
    std::memcpy(&target.address, each->ai_addr, each->ai_addrlen);
    target.address_size = each->ai_addrlen;
  }
  std::stable_partition(all.begin(), all.end(), [](const LoadTarget& target) {
    return target.address.ss_family == AF_INET;
  });
  return all;
}

/// Opens a connection and closes it again. Returns its errno; 0: it succeeded.
int error_of_trial(const LoadTarget& target) {
  constexpr int kPatience_ms = 3'000;
  const UniqueFd fd(
      ::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (::connect(fd.get(), target.get(), target.address_size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd waited{.fd = fd.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&waited, 1, kPatience_ms) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

std::string number_of(const LoadTarget& target) {
  std::array<char, NI_MAXHOST> host{};
  const int error = ::getnameinfo(target.get(), target.address_size, host.data(), host.size(),
                                  nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? host.data() : "an address";
}

std::vector<LoadTarget> resolve_unix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    reject(text, fmt::format("a path has from 1 to {} bytes, this one {}", sizeof name.sun_path - 1,
                             path.size()));
  }
  std::copy(path.begin(), path.end(), name.sun_path);
  LoadTarget target{.text = std::string(text)};
  std::memcpy(&target.address, &name, sizeof name);
  target.address_size = sizeof name;
  return {target};
}

void set_option(int fd, int level, int option, const void* value, socklen_t size) {
  checked(::setsockopt(fd, level, option, value, size), "setsockopt");
}

void prepare(int fd) {
  const int on = 1;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // BBR, the default on many machines, paces even loopback with timers. Reno is always available.
  constexpr char reno[] = "reno";
  set_option(fd, IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
  // Close with a reset: thousands of connections in TIME_WAIT would hold their ports for a minute,
  // and the next run would lack them. No data is lost, because all echoes are back by then.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  set_option(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void bind_to(int fd, in_addr address) {
  const int on = 1;
  // Otherwise bind() would reserve a port, which no connection to another address could share.
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr = address;
  checked(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
}

constexpr std::int64_t kRetry_ns = 1'000'000;

class Establishing {
 public:
  Establishing(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const EstablishLimits& limits)
      : connections_(connections), target_(target), sources_(sources), limits_(limits) {}

  void run() {
    std::int64_t stalled_at_ns = monotonic_ns() + limits_.patience.count();
    while (under_way_ > 0 || next_ < connections_.size()) {
      const std::uint64_t before = finished_;
      const bool is_backlog_full = !dial_more();
      if (under_way_ == 0 && !is_backlog_full) return;  // the last ones failed at once
      const std::int64_t left_ns = std::max<std::int64_t>(stalled_at_ns - monotonic_ns(), 0);
      const std::int64_t timeout_ns = is_backlog_full ? std::min(left_ns, kRetry_ns) : left_ns;
      for (const LoadEvent& event : connections_.wait(timeout_ns)) {
        on_event(event);
      }
      if (has_ended_) return;
      if (finished_ != before) {
        stalled_at_ns = monotonic_ns() + limits_.patience.count();
      } else if (monotonic_ns() >= stalled_at_ns) {
        fail_stalled();
      }
    }
  }

 private:
  /// Returns false if a Unix server's backlog is full. No event reports when it has room again.
  bool dial_more() {
    for (; under_way_ < limits_.under_way && next_ < connections_.size(); ++next_) {
      Dialled dialled = dial(target_, sources_);
      if (dialled.error == EAGAIN) return false;
      if (dialled.error == EADDRNOTAVAIL) fail_without_port();
      if (dialled.error != 0) {
        connections_.fail_to_open(next_, std::generic_category().message(dialled.error));
        ++finished_;
        continue;
      }
      const bool is_active = next_ < connections_.active().size();
      connections_.open(next_, std::move(dialled.fd), is_active ? limits_.active_bytes : 1);
      ++under_way_;
    }
    return true;
  }

  void on_event(const LoadEvent& event) {
    if (event.id == Timeline::kEnded) {
      has_ended_ = true;
      return;
    }
    LoadConnection& connection = connections_.at(event.id);
    if (!connection.fd) return;
    static_cast<void>(connections_.advance(connection, event));
    if (connection.is_established || (connection.fd && !connection.stream.is_quiet())) return;
    --under_way_;
    ++finished_;
    if (!connection.fd) return;
    connection.is_established = connection.stream.complete(connection.stream.received());
    ++connections_.tally().established;
  }

  [[noreturn]] void fail_stalled() const {
    throw Failure(ExitCode::unavailable,
                  fmt::format("{} accepts no more connections or does not echo: nothing happened "
                              "for {:g} s when a thread had {} of its {} connections",
                              target_.text, std::chrono::duration<double>(limits_.patience).count(),
                              connections_.tally().established, connections_.size()));
  }

  [[noreturn]] void fail_without_port() const {
    throw Failure(ExitCode::unavailable,
                  fmt::format("no port is left for connection {} to {}: widen "
                              "net.ipv4.ip_local_port_range or ask for fewer --connections",
                              next_ + 1, target_.text));
  }

  LoadConnections& connections_;
  const LoadTarget& target_;
  SourceAddresses& sources_;
  const EstablishLimits& limits_;
  std::size_t next_ = 0;         // the connection to open next
  std::uint64_t under_way_ = 0;  // opened, and neither established nor failed
  std::uint64_t finished_ = 0;   // established or failed
  bool has_ended_ = false;       // the timeline ended before all were established
};

}  // namespace

bool LoadTarget::is_ipv4_loopback() const {
  if (address.ss_family != AF_INET) return false;
  sockaddr_in ipv4{};
  std::memcpy(&ipv4, &address, sizeof ipv4);
  return ntohl(ipv4.sin_addr.s_addr) >> 24 == 127;
}

std::vector<LoadTarget> resolve_targets(std::string_view text) {
  return text.starts_with(kUnixPrefix) ? resolve_unix(text) : resolve_tcp(text);
}

LoadTarget find_target(std::string_view text) {
  const std::vector<LoadTarget> all = resolve_targets(text);
  if (all.size() == 1) return all.front();
  std::string errors;
  for (const LoadTarget& target : all) {
    const int error = error_of_trial(target);
    if (error == 0) return target;
    errors += fmt::format("{}{}: {}", errors.empty() ? "" : ", ", number_of(target),
                          std::generic_category().message(error));
  }
  throw Failure(ExitCode::unavailable,
                fmt::format("no connection to {} came up, is its server running? {}", text,
                            errors.empty() ? "it has no address" : errors));
}

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

void establish(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const Timeline& timeline, const EstablishLimits& limits) {
  connections.watch(timeline.ended(), Timeline::kEnded);
  Establishing(connections, target, sources, limits).run();
  connections.unwatch(timeline.ended(), Timeline::kEnded);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    LoadConnection& connection = connections.at(i);
    if (connection.fd && !connection.is_established) connections.close(connection);
  }
}

}  // namespace muxlab
