#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

namespace muxlab {

/// Names of io_uring's operations: IORING_OP_ in lower case, by number. The kernel never changes a
/// number and adds new ones at the end. The list may be longer than that of the headers.
inline constexpr std::array<std::string_view, 63> kIoUringOperations = {
    "nop",
    "readv",
    "writev",
    "fsync",
    "read-fixed",
    "write-fixed",
    "poll-add",
    "poll-remove",
    "sync-file-range",
    "sendmsg",
    "recvmsg",
    "timeout",
    "timeout-remove",
    "accept",
    "async-cancel",
    "link-timeout",
    "connect",
    "fallocate",
    "openat",
    "close",
    "files-update",
    "statx",
    "read",
    "write",
    "fadvise",
    "madvise",
    "send",
    "recv",
    "openat2",
    "epoll-ctl",
    "splice",
    "provide-buffers",
    "remove-buffers",
    "tee",
    "shutdown",
    "renameat",
    "unlinkat",
    "mkdirat",
    "symlinkat",
    "linkat",
    "msg-ring",
    "fsetxattr",
    "setxattr",
    "fgetxattr",
    "getxattr",
    "socket",
    "uring-cmd",
    "send-zc",
    "sendmsg-zc",
    "read-multishot",
    "waitid",
    "futex-wait",
    "futex-wake",
    "futex-waitv",
    "fixed-fd-install",
    "ftruncate",
    "bind",
    "listen",
    "recv-zc",
    "epoll-wait",
    "readv-fixed",
    "writev-fixed",
    "pipe",
};

inline std::string io_uring_operation(unsigned number) {
  if (number < kIoUringOperations.size()) return std::string(kIoUringOperations[number]);
  return fmt::format("operation {}", number);
}

}  // namespace muxlab
