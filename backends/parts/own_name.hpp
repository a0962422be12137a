#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace muxlab {

/// Returns true if `path` names the file that `fd` is open on. Until `fd` is closed no other file
/// can have its inode number. O_PATH is enough to open it with.
inline bool is_name_of(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/// Removes a name that this process has made. Leaves a file that a user or another program has put
/// there since.
inline void remove_own_name(const std::string& path, int fd) {
  if (is_name_of(path, fd)) ::unlink(path.c_str());
}

}  // namespace muxlab
