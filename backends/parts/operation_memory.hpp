#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace muxlab {

/// Memory for one Asio operation at a time, lent by the object that starts one after another.
/// While operations fit and do not overlap, starting the next one cannot fail and allocates
/// nothing. As in Asio's documentation on custom memory allocation. Thread: one at a time.
class OperationMemory {
 public:
  OperationMemory() = default;
  OperationMemory(const OperationMemory&) = delete;
  OperationMemory& operator=(const OperationMemory&) = delete;
  ~OperationMemory() = default;

  /// Uses operator new above kEnough bytes, or while the memory is in use. Then it may throw
  /// std::bad_alloc.
  void* allocate(std::size_t size) {
    if (in_use_ || size > space_.size()) return ::operator new(size);
    in_use_ = true;
    return space_.data();
  }
  void deallocate(void* block) {
    if (block != space_.data()) return ::operator delete(block);
    in_use_ = false;
  }

  /// The allocator of a handler.
  template <typename T>
  class Allocator {
   public:
    using value_type = T;

    explicit Allocator(OperationMemory& memory) : memory_(&memory) {}
    template <typename U>
    Allocator(const Allocator<U>& other) : memory_(other.memory_) {}  // NOLINT: as is required

    T* allocate(std::size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
    void deallocate(T* block, std::size_t) { memory_->deallocate(block); }

    friend bool operator==(const Allocator&, const Allocator&) = default;

   private:
    template <typename U>
    friend class Allocator;

    OperationMemory* memory_;
  };

 private:
  static constexpr std::size_t kEnough = 320;  // the largest is a session's async_write()

  alignas(std::max_align_t) std::array<std::byte, kEnough> space_;
  bool in_use_ = false;
};

}  // namespace muxlab
