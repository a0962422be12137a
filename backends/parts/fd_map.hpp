#pragma once

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace muxlab {

/// A table indexed by descriptor. The kernel assigns the lowest free one, so a vector is enough: no
/// hash, no search. It grows to the highest descriptor ever in use. A default-made T is "none".
template <typename T>
class FdMap {
 public:
  /// Returns the entry of `fd`, made if necessary. May move all entries: keep no reference.
  T& operator[](int fd) {
    if (index(fd) >= entries_.size()) entries_.resize(index(fd) + 1);
    return entries_[index(fd)];
  }

  /// Returns the entry of `fd`, or null if the table does not reach it.
  T* find(int fd) { return index(fd) < entries_.size() ? &entries_[index(fd)] : nullptr; }

  /// Returns the number of entries that fit into the allocated memory.
  [[nodiscard]] std::size_t capacity() const { return entries_.capacity(); }

  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }

 private:
  static std::size_t index(int fd) {
    assert(fd >= 0);
    return static_cast<std::size_t>(fd);
  }

  std::vector<T> entries_;
};

}  // namespace muxlab
