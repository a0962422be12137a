#include <liburing.h>
#include <sys/sendfile.h>

#include <array>
#include <vector>

#include "tutorial/programs/bytes.hpp"

/// copy_file: four ways to copy a file. Each gives the same bytes; they differ in how many system
/// calls that takes, and in whether the bytes come into the program's memory.
using namespace tutorial;

namespace {

constexpr std::size_t kFileSize = 4 << 20;
constexpr std::size_t kChunk = 64 << 10;

/// Counts the calls of one copy, and throws when one fails.
struct Calls {
  int made = 0;

  std::size_t operator()(ssize_t result, const char* call) {
    ++made;
    return static_cast<std::size_t>(check(result, call));
  }
};

/// Through the program: the kernel copies each byte to it and back.
void with_read_and_write(int from, int to, Calls& call) {
  static std::array<char, kChunk> buffer;
  while (const std::size_t size = call(::read(from, buffer.data(), buffer.size()), "read")) {
    for (std::size_t written = 0; written < size;) {
      written += call(::write(to, buffer.data() + written, size - written), "write");
    }
  }
}

/// From a file to any descriptor, inside the kernel.
void with_sendfile(int from, int to, Calls& call) {
  while (call(::sendfile(to, from, nullptr, kFileSize), "sendfile") > 0) {
  }
}

/// From any descriptor to a pipe, and from the pipe to any other: it is a buffer in the kernel.
void with_splice(int from, int to, Calls& call) {
  std::array<int, 2> ends{};
  call(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  while (std::size_t left = call(
             ::splice(from, nullptr, writer.get(), nullptr, kChunk, SPLICE_F_MOVE), "splice")) {
    while (left > 0) {
      left -= call(::splice(reader.get(), nullptr, to, nullptr, left, SPLICE_F_MOVE), "splice");
    }
  }
}

/// Sixteen chunks at once: each io_uring_enter(2) hands over all their reads, or all their writes,
/// and returns when they are done. An operation may be done in part, and is then asked for again.
class RingCopy {
 public:
  RingCopy(int from, int to, Calls& call) : from_(from), to_(to), call_(call) {
    ++call_.made;
    const int result = io_uring_queue_init(kAtOnce, &ring_, 0);
    // liburing returns the error; it is not in errno.
    if (result < 0) throw std::system_error(-result, std::system_category(), "io_uring_setup");
  }
  ~RingCopy() { io_uring_queue_exit(&ring_); }
  RingCopy(const RingCopy&) = delete;
  RingCopy& operator=(const RingCopy&) = delete;

  void run() {
    for (std::size_t begin = 0; begin < kFileSize; begin += kAtOnce * kChunk) {
      for (const bool reads : {true, false}) {
        for (std::size_t& done : done_) done = 0;
        while (!submit(begin, reads)) {
        }
      }
    }
  }

 private:
  static constexpr unsigned kAtOnce = 16;

  /// True when nothing was left to do.
  bool submit(std::size_t begin, bool reads) {
    unsigned asked = 0;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      if (done_[i] == kChunk) continue;
      io_uring_sqe* const entry = io_uring_get_sqe(&ring_);  // there are as many as chunks
      char* const bytes = chunks_[i].data() + done_[i];
      const auto left = static_cast<unsigned>(kChunk - done_[i]);
      const std::size_t offset = begin + i * kChunk + done_[i];
      if (reads) io_uring_prep_read(entry, from_, bytes, left, offset);
      if (!reads) io_uring_prep_write(entry, to_, bytes, left, offset);
      io_uring_sqe_set_data64(entry, i);
      ++asked;
    }
    if (asked == 0) return true;
    ++call_.made;
    const int submitted = io_uring_submit_and_wait(&ring_, asked);
    if (submitted < 0)
      throw std::system_error(-submitted, std::system_category(), "io_uring_enter");
    take_results();
    return false;
  }

  void take_results() {
    io_uring_cqe* result = nullptr;
    while (io_uring_peek_cqe(&ring_, &result) == 0) {
      const int size = result->res;
      if (size <= 0) throw std::system_error(-size, std::system_category(), "io_uring");
      done_[io_uring_cqe_get_data64(result)] += static_cast<std::size_t>(size);
      io_uring_cqe_seen(&ring_, result);
    }
  }

  int from_, to_;
  Calls& call_;
  io_uring ring_{};
  std::vector<std::array<char, kChunk>> chunks_{kAtOnce};
  std::array<std::size_t, kAtOnce> done_{};
};

void with_io_uring(int from, int to, Calls& call) { RingCopy(from, to, call).run(); }

void show(const char* way, const Fd& source, void (*copy)(int, int, Calls&)) try {
  check(::lseek(source.get(), 0, SEEK_SET), "lseek");
  const Fd target = make_file("");
  Calls calls;
  copy(source.get(), target.get(), calls);
  const bool same = content_of(target) == content_of(source);
  say("{:<16}{:>4} system calls, {}", way, calls.made, same ? "the same bytes" : "OTHER BYTES");
} catch (const std::system_error& error) {
  say("{:<16}not to be had here: {}", way, error.what());
}

}  // namespace

int main() try {
  const Fd source = make_file(make_bytes(kFileSize));
  say("{} bytes, {} at a time", kFileSize, kChunk);
  show("read and write", source, with_read_and_write);
  show("sendfile", source, with_sendfile);
  show("splice", source, with_splice);
  show("io_uring", source, with_io_uring);
} catch (const std::exception& error) {
  fmt::print(stderr, "copy_file: {}\n", error.what());
  return 1;
}
