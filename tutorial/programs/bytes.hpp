#pragma once

#include <sys/mman.h>

#include <string>
#include <string_view>

#include "tutorial/programs/sockets.hpp"

/// Bytes to send and to copy, and files that hold them.
namespace tutorial {

/// Long before it repeats itself, so that a piece that is lost or in another place is noticed.
inline std::string make_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

/// A file without a name, in the memory of the kernel: memfd_create(2).
inline Fd make_file(std::string_view content) {
  Fd file(check(::memfd_create("file", MFD_CLOEXEC), "memfd_create"));
  while (!content.empty()) {
    const ssize_t written = check(::write(file.get(), content.data(), content.size()), "write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  check(::lseek(file.get(), 0, SEEK_SET), "lseek");
  return file;
}

/// All of the file, however long it is.
inline std::string content_of(const Fd& file) {
  std::string content;
  std::string block(1 << 20, '\0');
  for (;;) {
    const auto offset = static_cast<off_t>(content.size());
    const ssize_t size = check(::pread(file.get(), block.data(), block.size(), offset), "pread");
    if (size == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace tutorial
