#include "bench/process_pipe.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "backends/failure.hpp"

namespace muxlab {

Pipe make_pipe() {
  int ends[2];
  checked(::pipe2(ends, O_CLOEXEC), "pipe2");
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Only our end: the other becomes the child's stdout, which it expects to block.
  checked(::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK), "fcntl");
  return pipe;
}

void PipeReader::drain() {
  while (fd_) {
    std::array<char, 4096> chunk;
    const ssize_t size = ::read(fd_.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return fd_.reset();
    text_.append(chunk.data(), static_cast<std::size_t>(size));
    if (text_.size() > max_bytes_) text_.erase(0, text_.size() - max_bytes_);
  }
}

std::optional<std::string> PipeReader::take_line() {
  const std::size_t end = text_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  return line;
}

}  // namespace muxlab
