#include <fcntl.h>
#include <sys/select.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <climits>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/ready_list.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

/// A set of descriptors, one bit each, in the layout that select(2) takes.
///
/// fd_set ends at FD_SETSIZE, 1024 bits. The kernel does not: it reads as many bits as the first
/// argument says, so an array of our own serves descriptors of any size on Linux.
class BitSet {
 public:
  using Word = unsigned long;
  static constexpr std::size_t kBits = sizeof(Word) * CHAR_BIT;

  void insert(int fd) { words_[word(fd)] |= mask(fd); }
  void erase(int fd) { words_[word(fd)] &= ~mask(fd); }
  [[nodiscard]] bool contains(int fd) const { return (words_[word(fd)] & mask(fd)) != 0; }

  /// Makes room for `fd`; nothing shrinks again.
  void grow_to(int fd) { words_.resize(std::max(words_.size(), word(fd) + 1)); }
  /// Returns one more than the highest descriptor there is room for.
  [[nodiscard]] int capacity() const { return static_cast<int>(words_.size() * kBits); }
  fd_set* data() { return reinterpret_cast<fd_set*>(words_.data()); }

  /// Appends the members, lowest first; sixty-four absent ones cost one comparison.
  template <typename Predicate = bool (*)(int)>
  void append_to(
      ReadyList& fds, Predicate belongs = [](int) { return true; }) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (Word rest = words_[i]; rest != 0; rest &= rest - 1) {
        const int fd = static_cast<int>(i * kBits) + std::countr_zero(rest);
        if (belongs(fd)) fds.push(fd);
      }
    }
  }

 private:
  static std::size_t word(int fd) { return static_cast<std::size_t>(fd) / kBits; }
  static Word mask(int fd) { return Word{1} << (static_cast<std::size_t>(fd) % kBits); }

  std::vector<Word> words_;
};

/// select(2): overwrites its argument sets with the result, so each call needs a fresh copy. Both
/// the kernel and this class walk all bits up to the highest descriptor.
class SelectPoller final : public OneShotPoller {
 public:
  void add(int fd, Interest interest) override {
    for (BitSet* set : {&readers_, &writers_, &ready_readers_, &ready_writers_}) set->grow_to(fd);
    ready_.make_room(static_cast<std::size_t>(readers_.capacity()));
    set(fd, interest);
  }

  void modify(int fd, Interest interest) override {
    silence(fd);
    set(fd, interest);
  }

  void add_once(int fd, Interest interest) override {
    once_.grow_to(fd);
    once_.insert(fd);
    add(fd, interest);
  }

  void rearm(int fd, Interest interest) override { modify(fd, interest); }

  void remove(int fd) override {
    silence(fd);
    if (fd < once_.capacity()) once_.erase(fd);
  }

  std::span<const int> wait(int timeout_ms) override {
    collect_ready(timeout_ms);
    for (const int fd : ready_.fds()) {
      if (fd < once_.capacity() && once_.contains(fd)) silence(fd);
    }
    return ready_.fds();
  }

 private:
  void silence(int fd) {
    if (writers_.contains(fd)) --writer_count_;
    readers_.erase(fd);
    writers_.erase(fd);
  }

  void collect_ready(int timeout_ms) {
    ready_.clear();
    ready_readers_ = readers_;
    fd_set* writers = nullptr;  // the kernel does not walk an absent set
    if (writer_count_ > 0) {
      ready_writers_ = writers_;
      writers = ready_writers_.data();
    }
    timeval limit{.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    if (::select(readers_.capacity(), ready_readers_.data(), writers, nullptr,
                 timeout_ms == kForever ? nullptr : &limit) < 0) {
      if (errno == EBADF) return collect_closed();
      if (errno != EINTR) throw_errno("select");
      return;  // the copies hold no answer
    }
    ready_readers_.append_to(ready_);
    if (writers != nullptr) ready_writers_.append_to(ready_);
  }

  /// Reports closed descriptors as ready, so that the next receive or send finds out. One of them
  /// fails the whole call, and the kernel does not report which.
  void collect_closed() {
    const auto is_closed = [](int fd) { return ::fcntl(fd, F_GETFD) < 0; };
    readers_.append_to(ready_, is_closed);
    writers_.append_to(ready_, is_closed);
  }

  void set(int fd, Interest interest) {
    if (interest == Interest::write) ++writer_count_;
    (interest == Interest::read ? readers_ : writers_).insert(fd);
  }

  BitSet readers_;
  BitSet writers_;
  std::size_t writer_count_ = 0;
  BitSet once_;  ///< silenced when they are reported
  BitSet ready_readers_;
  BitSet ready_writers_;
  ReadyList ready_;
};

}  // namespace

extern const Backend select_backend{
    .name = "select",
    .summary = "select(2): one bit per descriptor, copied and walked with every call",
    .probe = probe_poller<SelectPoller>,
    .serve = serve_with<SelectPoller>,
    .make_poller = make_poller<SelectPoller>,
};

}  // namespace muxlab
