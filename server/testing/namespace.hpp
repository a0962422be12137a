#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "backends/parts/unique_fd.hpp"

/// Namespaces of a child's own, in which it is root: a network, mounts. Each function is for a
/// child with one thread, between fork and exec. Any that fails ends the child with kNotPermitted.
namespace muxlab::test {

inline constexpr int kNotPermitted = 125;

inline void require(bool permitted) {
  if (!permitted) ::_exit(kNotPermitted);
}

inline void write_file(const char* path, std::string_view text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  require(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// `kinds`: of CLONE_NEWNET and CLONE_NEWNS.
inline void enter_namespaces(int kinds) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  require(::unshare(CLONE_NEWUSER | kinds) == 0);
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
  if ((kinds & CLONE_NEWNS) != 0) {
    require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  }
  if ((kinds & CLONE_NEWNET) != 0) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq loopback{.ifr_ifrn = {.ifrn_name = "lo"}, .ifr_ifru = {}};
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    require(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback) == 0);
  }
}

/// `path` is `source` from now on.
inline void mount_over(const std::string& source, const char* path) {
  require(::mount(source.c_str(), path, nullptr, MS_BIND, nullptr) == 0);
}

/// Whether enter_namespaces() works here.
inline bool may_enter_namespaces(int kinds) {
  const pid_t child = ::fork();
  if (child == 0) {
    enter_namespaces(kinds);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

}  // namespace muxlab::test
