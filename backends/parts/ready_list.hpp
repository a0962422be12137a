#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace muxlab {

/// The descriptors that a poller found ready. Room is made when a descriptor is added to the
/// poller, so wait() needs no memory. The result of wait() does not move while descriptors are
/// added.
class ReadyList {
 public:
  /// Makes room for `count` from the next clear() on. Throws std::bad_alloc.
  void make_room(std::size_t count) {
    if (fds_.capacity() < count && spare_.capacity() < count) spare_.reserve(2 * count);
  }
  /// Empties the list. Invalidates the result of fds().
  void clear() {
    if (spare_.capacity() > fds_.capacity()) fds_.swap(spare_);
    fds_.clear();
  }
  /// Allocates nothing within the room made before the last clear().
  void push(int fd) { fds_.push_back(fd); }
  [[nodiscard]] std::span<const int> fds() const { return fds_; }

 private:
  std::vector<int> fds_;
  std::vector<int> spare_;
};

}  // namespace muxlab
