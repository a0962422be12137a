/// Slows down the load client when preloaded into it: each recv() uses 50 us more processor time.
#include <dlfcn.h>
#include <sys/socket.h>

#include <chrono>

extern "C" ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  using Receive = ssize_t (*)(int, void*, size_t, int);
  static const auto next = reinterpret_cast<Receive>(::dlsym(RTLD_NEXT, "recv"));
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  while (std::chrono::steady_clock::now() < until) {
  }
  return next(fd, buffer, size, flags);
}
