#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace muxlab {

/// What a poller found ready: room for it is made when a descriptor is added, so that wait() needs
/// no memory; and what wait() returned stays where it is while descriptors are added.
class ReadyList {
 public:
  /// From the next clear() on there is room for `count`. Throws std::bad_alloc.
  void make_room(std::size_t count) {
    if (fds_.capacity() < count && spare_.capacity() < count) spare_.reserve(2 * count);
  }
  void clear() {
    if (spare_.capacity() > fds_.capacity()) fds_.swap(spare_);
    fds_.clear();
  }
  void push(int fd) { fds_.push_back(fd); }
  [[nodiscard]] std::span<const int> fds() const { return fds_; }

 private:
  std::vector<int> fds_;
  std::vector<int> spare_;
};

}  // namespace muxlab
