#include "bench/load/connections.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"

namespace muxlab {

namespace {

/// Returns the first 16 of `bytes` as a C string literal.
std::string excerpt(std::span<const std::byte> bytes) {
  constexpr std::size_t kShown = 16;
  std::string text = "\"";
  for (const std::byte byte : bytes.first(std::min(bytes.size(), kShown))) {
    const auto c = static_cast<unsigned char>(byte);
    const bool is_plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    text += is_plain ? std::string(1, static_cast<char>(c)) : fmt::format("\\x{:02x}", c);
  }
  return text + (bytes.size() > kShown ? "\"..." : "\"");
}

}  // namespace

bool LoadConnections::is_momentary(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

void LoadConnections::open(std::size_t index, UniqueFd fd, std::uint64_t bytes) {
  LoadConnection& connection = connections_[index];
  connection = LoadConnection{};
  connection.fd = std::move(fd);
  connection.number = std::exchange(next_number_, next_number_ + stride_);
  connection.stream = EchoStream(Pattern::start_of(connection.number));
  connection.stream.extend(bytes);
  begin(connection);
}

Came LoadConnections::take_in(LoadConnection& connection, std::span<const std::byte> bytes) {
  if (!connection.stream.accept(pattern_, bytes)) {
    fail(connection, LoadError::mismatch,
         fmt::format("received bytes that are not those sent: {}", excerpt(bytes)));
    return Came::nothing;
  }
  tally_.bytes_received += bytes.size();
  return Came::bytes;
}

Came LoadConnections::take_end(LoadConnection& connection) {
  if (!connection.is_ending) {
    fail(connection, LoadError::closed, "closed by the server");
    return Came::nothing;
  }
  close(connection);
  return Came::end;
}

void LoadConnections::end(LoadConnection& connection) {
  connection.is_ending = true;
  // shutdown() fails only on a reset connection, which the next receive reports.
  static_cast<void>(::shutdown(connection.fd.get(), SHUT_WR));
}

void LoadConnections::fail_with_errno(LoadConnection& connection, int error) {
  const bool is_connecting = connection.stream.received() + connection.stream.in_flight() == 0;
  const bool is_reset = error == ECONNRESET || error == EPIPE;
  const LoadError kind = is_connecting ? LoadError::connect
                         : is_reset    ? LoadError::reset
                                       : LoadError::system;
  fail(connection, kind, std::generic_category().message(error));
}

void LoadConnections::fail(LoadConnection& connection, LoadError error, std::string_view reason) {
  tally_.errors.add(error);
  if (tally_.first_error.empty()) {
    tally_.first_error =
        fmt::format("{}connection {}: {}", index_of(connection) < active_ ? "" : "idle ",
                    connection.number, reason);
    if (const std::uint64_t received = connection.stream.received(); received > 0) {
      tally_.first_error += fmt::format(" after {} bytes", received);
    }
  }
  close(connection);
}

void LoadConnections::fail_to_open(std::size_t index, std::string_view reason) {
  connections_[index] = LoadConnection{};
  connections_[index].number = std::exchange(next_number_, next_number_ + stride_);
  fail(connections_[index], LoadError::connect, reason);
}

void LoadConnections::close(LoadConnection& connection) {
  tally_.bytes_missing += connection.stream.in_flight();
  let_go(connection);
  connection.fd.reset();
}

void LoadConnections::close_all() {
  for (LoadConnection& connection : connections_) {
    if (connection.fd) close(connection);
  }
}

LoadEngine available_engine(LoadEngine asked) {
  if (asked == LoadEngine::epoll) return asked;
  // The io-uring backend of the server needs the same kernel features.
  const Availability found = find_backend("io-uring")->probe();
  if (found.works) return LoadEngine::io_uring;
  if (asked == LoadEngine::any) return LoadEngine::epoll;
  throw Failure(ExitCode::unavailable, fmt::format("--engine io-uring: {}{}{}", found.reason,
                                                   found.fix.empty() ? "" : "; ", found.fix));
}

}  // namespace muxlab
