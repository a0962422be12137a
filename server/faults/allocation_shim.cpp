/// Preloaded with the fault shim, makes allocations fail as the FaultPlan says. A separate file,
/// because it must not bypass a sanitizer's allocator.
#include <cerrno>
#include <cstddef>

#include "server/faults/fault_plan.hpp"

namespace {

muxlab::faults::FaultPlan* plan = nullptr;

bool fails() {
  if (plan == nullptr || !(*plan)[muxlab::faults::Site::allocate].strikes()) return false;
  errno = ENOMEM;
  return true;
}

__attribute__((constructor)) void find_plan() { plan = muxlab::faults::plan_of_the_tests(); }

}  // namespace

extern "C" {

// NOLINTBEGIN: the C library's own names of the replaced functions
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
// NOLINTEND

void* malloc(size_t size) { return fails() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* block, size_t size) { return fails() ? nullptr : __libc_realloc(block, size); }

}  // extern "C"
