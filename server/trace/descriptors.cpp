#include "server/trace/descriptors.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace muxlab::trace {
namespace {

/// What /proc/self/fd says of a descriptor, and what we say.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kKinds = {{
    {"anon_inode:[eventpoll]", "epoll"},
    {"anon_inode:[eventfd]", "eventfd"},
    {"anon_inode:[timerfd]", "timerfd"},
    {"anon_inode:[io_uring]", "ring"},
    {"socket:", "socket"},
    {"pipe:", "pipe"},
}};

std::string kind_of(int fd) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
  for (const auto& [begin, kind] : kKinds) {
    if (target.native().starts_with(begin)) return std::string(kind);
  }
  return target.is_absolute() ? target.native() : "fd";
}

}  // namespace

void DescriptorNames::give(int fd, std::string name) {
  names_[fd] = name;
  all_.emplace_back(std::move(name), fd);
}

void DescriptorNames::accepted(int fd) {
  if (connecting_.empty()) return;
  give(fd, std::move(connecting_.front()));
  connecting_.pop_front();
}

std::string DescriptorNames::of(int fd) {
  if (fd < 0) return fmt::to_string(fd);
  const auto known = names_.find(fd);
  if (known != names_.end()) return known->second;
  std::string word = kind_of(fd);
  if (const int number = ++count_[word]; number > 1) word += fmt::to_string(number);
  give(fd, word);
  return word;
}

}  // namespace muxlab::trace
