#include "backends/controls/oracle_board.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/own_name.hpp"

namespace muxlab {
namespace {

/// Packs address and port. Over loopback, mapped IPv4 included, four bytes of IPv6 are enough.
std::uint64_t name_of_address(const sockaddr_storage& address) {
  std::uint32_t host = 0;
  std::uint16_t port = 0;
  if (address.ss_family == AF_INET) {
    const auto& name = reinterpret_cast<const sockaddr_in&>(address);
    host = name.sin_addr.s_addr;
    port = name.sin_port;
  } else if (address.ss_family == AF_INET6) {
    const auto& name = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(&host, &name.sin6_addr.s6_addr[12], sizeof host);
    port = name.sin6_port;
  }
  return std::uint64_t{host} << 16 | port;
}

[[noreturn]] void refuse(const std::string& path, const char* why) {
  throw Failure(ExitCode::usage, fmt::format("--oracle {} {}", path, why));
}

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Failure(ExitCode::unavailable, fmt::format("cannot {} --oracle {}: {}", what, path,
                                                   std::generic_category().message(errno)));
}

}  // namespace

std::uint64_t name_of_peer(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool is_connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return is_connected ? name_of_address(address) : 0;
}

std::uint64_t name_of_socket(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool is_socket = ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return is_socket ? name_of_address(address) : 0;
}

OracleBoard OracleBoard::create(const std::string& path) {
  make_way(path);
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fail(path, "create");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) fail(path, "lock");
  if (::ftruncate(file.get(), sizeof(Memory)) < 0) fail(path, "create");
  OracleBoard board(std::move(file), path);
  board.memory_->mark = kMark;
  return board;
}

OracleBoard OracleBoard::open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) fail(path, "open");
  if (!is_board(file.get())) refuse(path, "is not a board of muxlab serve --oracle");
  return {std::move(file), ""};
}

OracleBoard OracleBoard::anonymous() {
  UniqueFd file(checked(::memfd_create("oracle", MFD_CLOEXEC), "memfd_create"));
  checked(::ftruncate(file.get(), sizeof(Memory)), "ftruncate");
  return {std::move(file), ""};
}

/// Removes the file that a killed server left behind, and nothing else.
void OracleBoard::make_way(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return;
  if (!is_board(file.get())) refuse(path, "exists and is not a board: name another file");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) refuse(path, "is in use by another server");
  remove_own_name(path, file.get());
}

bool OracleBoard::is_board(int file) {
  std::uint64_t mark = 0;
  struct stat status {};
  return ::fstat(file, &status) == 0 && status.st_size == sizeof(Memory) &&
         ::pread(file, &mark, sizeof mark, 0) == sizeof mark && mark == kMark;
}

/// A new file is all zeros, which is the initial state.
OracleBoard::OracleBoard(UniqueFd file, std::string path)
    : file_(std::move(file)), path_(std::move(path)) {
  void* const mapped =
      ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (mapped == MAP_FAILED) throw_errno("mmap");
  memory_ = static_cast<Memory*>(mapped);
}

OracleBoard::OracleBoard(OracleBoard&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::exchange(other.path_, {})),
      memory_(std::exchange(other.memory_, nullptr)) {}

OracleBoard::~OracleBoard() {
  if (!path_.empty()) remove_own_name(path_, file_.get());
  if (memory_ != nullptr) ::munmap(memory_, sizeof(Memory));
}

void OracleBoard::publish(int fd, std::uint64_t name) {
  if (static_cast<std::uint32_t>(fd) >= kDescriptors) return;
  memory_->names[static_cast<std::uint32_t>(fd)].store(name, std::memory_order_release);
}

std::unordered_map<std::uint64_t, std::uint32_t> OracleBoard::published() const {
  std::unordered_map<std::uint64_t, std::uint32_t> descriptors;
  for (std::uint32_t fd = 0; fd < kDescriptors; ++fd) {
    const std::uint64_t name = memory_->names[fd].load(std::memory_order_acquire);
    if (name != 0) descriptors[name] = fd;
  }
  return descriptors;
}

bool OracleBoard::begin_reporting() {
  if (is_reporting()) return false;
  // Unread notes of the previous client are not true any more.
  memory_->written.store(memory_->taken.load());
  set_reporting(true);
  return true;
}

}  // namespace muxlab
