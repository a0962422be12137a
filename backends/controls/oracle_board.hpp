#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "backends/backend.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Returns true for the backend `oracle`. Its load client notes ready connections in an
/// OracleBoard, and the backend polls that memory. One client thread, one serving thread, TCP only.
inline bool is_oracle(const Backend& backend) { return backend.name == "oracle"; }

/// Return the name of a connection, the same at both ends: the client's address and port. Zero if
/// `fd` is no TCP connection.
std::uint64_t name_of_peer(int fd);    ///< at the server, getpeername(2)
std::uint64_t name_of_socket(int fd);  ///< at the client, getsockname(2)

/// Memory that the load client and a server on the `oracle` control share. The server publishes the
/// descriptor of each connection. The client notes the descriptors to which it has just sent.
///
/// Over loopback TCP a message is usually in the peer's receive queue when send(2) returns, so a
/// note is usually true when the server reads it. One client thread writes notes, one server thread
/// reads them.
class OracleBoard {
 public:
  static constexpr std::uint32_t kDescriptors = 1 << 16;

  /// Makes the file, for the server, and removes it at the end. Throws Failure if the file cannot
  /// be made, is in use, or exists and is no board.
  static OracleBoard create(const std::string& path);
  /// Opens an existing board. Throws Failure if there is no such file, or it is no board.
  static OracleBoard open(const std::string& path);
  /// Makes a board without a file. Throws std::system_error.
  static OracleBoard anonymous();

  OracleBoard(OracleBoard&& other) noexcept;
  OracleBoard& operator=(OracleBoard&&) = delete;
  OracleBoard(const OracleBoard&) = delete;
  OracleBoard& operator=(const OracleBoard&) = delete;
  ~OracleBoard();

  // For the server:

  /// Publishes `fd` as the connection `name`; zero withdraws it. Ignores an `fd` that is too high.
  void publish(int fd, std::uint64_t name);
  /// Calls `visit` with each noted descriptor, in order. The descriptors come unchecked from the
  /// client, so `visit` must check them. It must not throw. Thread: the server's only.
  template <typename Visit>
  void take(Visit visit) {
    std::uint32_t taken = memory_->taken.load(std::memory_order_relaxed);
    const std::uint32_t written = memory_->written.load(std::memory_order_acquire);
    for (; taken != written; ++taken) {
      visit(memory_->notes[taken % kNotes].load(std::memory_order_relaxed));
    }
    memory_->taken.store(taken, std::memory_order_release);
  }

  // For the client:

  /// Returns the descriptors at the server, by the names of their connections.
  [[nodiscard]] std::unordered_map<std::uint64_t, std::uint32_t> published() const;
  /// Discards unread notes. Returns false if another client already writes notes. The check is not
  /// atomic: two clients that begin at the same time may both get true.
  [[nodiscard]] bool begin_reporting();
  /// Notes that `fd`, a descriptor at the server, has something to receive. Drops the note if there
  /// is no room, which happens only after the server has ceased to read.
  void report(std::uint32_t fd) {
    const std::uint32_t written = memory_->written.load(std::memory_order_relaxed);
    if (written - memory_->taken.load(std::memory_order_acquire) == kNotes) return;
    memory_->notes[written % kNotes].store(fd, std::memory_order_relaxed);
    memory_->written.store(written + 1, std::memory_order_release);
    if (!is_reporting()) set_reporting(true);  // the server presumed this client dead
  }

  // For both:

  [[nodiscard]] bool is_reporting() const {
    return memory_->reporting.load(std::memory_order_acquire);
  }
  void end_reporting() { set_reporting(false); }

 private:
  static constexpr std::uint32_t kNotes = 1 << 16;  // a connection has one in flight at most

  struct Memory {
    std::uint64_t mark;
    alignas(64) std::atomic<std::uint32_t> written;
    alignas(64) std::atomic<std::uint32_t> taken;
    alignas(64) std::atomic<bool> reporting;
    alignas(64) std::array<std::atomic<std::uint32_t>, kNotes> notes;
    std::array<std::atomic<std::uint64_t>, kDescriptors> names;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  static constexpr std::uint64_t kMark = 0x3164726f62787576;  // "vuxbord1"

  OracleBoard(UniqueFd file, std::string path);
  void set_reporting(bool reporting) {
    memory_->reporting.store(reporting, std::memory_order_release);
  }
  static bool is_board(int file);
  static void make_way(const std::string& path);

  UniqueFd file_;     ///< locked by the server, so that no other server removes it
  std::string path_;  ///< removed at the end; empty: not owned
  Memory* memory_ = nullptr;
};

}  // namespace muxlab
