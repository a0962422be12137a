#pragma once

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace muxlab {

/// A table indexed by descriptor. The kernel hands out the lowest free one, so a vector it is: no
/// hash, no search, and it grows to the highest descriptor ever in use. A default-made T is "none".
template <typename T>
class FdMap {
 public:
  /// The entry of `fd`, made if need be. May move every entry: keep no reference across it.
  T& operator[](int fd) {
    if (index(fd) >= entries_.size()) entries_.resize(index(fd) + 1);
    return entries_[index(fd)];
  }

  /// The entry of `fd`, or null when there never was one.
  T* find(int fd) { return index(fd) < entries_.size() ? &entries_[index(fd)] : nullptr; }

  /// How many entries there is memory for.
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
