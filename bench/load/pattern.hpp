#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace muxlab {

/// An endless stream of pseudo-random bytes that repeats after a prime number of them.
///
/// Kept as one period and as much of the next as the longest run needs, so that any run can be sent
/// straight from here, and compared with what came back, without a buffer per connection. Each
/// connection starts somewhere else in it; a byte that is lost, doubled, reordered or delivered to
/// another connection then differs from the one that is due, except by the chance of 1 in 256 that
/// two random bytes are alike. No power of two is a multiple of the period, so a block that some
/// buffer repeats or leaves out shows too.
///
/// Immutable once made; any number of threads may read it.
class Pattern {
 public:
  static constexpr std::size_t kPeriod = 32'749;

  /// `longest_run`: the most bytes that at() and matches() will be asked for.
  explicit Pattern(std::size_t longest_run) : bytes_(kPeriod + longest_run) {
    std::uint32_t state = 2'463'534'242;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      state ^= state << 13;  // xorshift32 (Marsaglia 2003)
      state ^= state >> 17;
      state ^= state << 5;
      bytes_[i] = i < kPeriod ? static_cast<std::byte>(state >> 24) : bytes_[i - kPeriod];
    }
  }

  /// Where the stream of connection `index` begins; different for each of the first kPeriod ones,
  /// and far from that of its neighbours.
  [[nodiscard]] static std::uint64_t start_of(std::uint64_t index) {
    return index % kPeriod * 12'553 % kPeriod;
  }

  /// `size` bytes of the stream from `position` on.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t position, std::size_t size) const {
    assert(size <= longest_run());
    return {bytes_.data() + position % kPeriod, size};
  }

  /// Whether `bytes` are those of the stream from `position` on.
  [[nodiscard]] bool matches(std::uint64_t position, std::span<const std::byte> bytes) const {
    return std::memcmp(at(position, bytes.size()).data(), bytes.data(), bytes.size()) == 0;
  }

  [[nodiscard]] std::size_t longest_run() const { return bytes_.size() - kPeriod; }

 private:
  std::vector<std::byte> bytes_;
};

/// How far one connection is in the stream that it sends and gets back. No I/O, and no buffer.
class EchoStream {
 public:
  explicit EchoStream(std::uint64_t start = 0) : start_(start) {}

  /// Adds `bytes` to what is to be sent.
  void extend(std::uint64_t bytes) { due_ += bytes; }
  [[nodiscard]] std::uint64_t due() const { return due_; }
  [[nodiscard]] std::uint64_t unsent() const { return due_ - sent_; }
  /// The bytes to send next: all that are due, or as many as `pattern` has in one piece.
  [[nodiscard]] std::span<const std::byte> next_run(const Pattern& pattern) const {
    const std::uint64_t longest = pattern.longest_run();
    return pattern.at(start_ + sent_, static_cast<std::size_t>(std::min(unsent(), longest)));
  }
  void add_sent(std::size_t bytes) { sent_ += bytes; }
  /// Of those in flight, the last `bytes` were not sent after all.
  void take_back(std::uint64_t bytes) { sent_ -= bytes; }

  /// Takes in bytes that came back. False when they are not the next ones of those sent.
  [[nodiscard]] bool accept(const Pattern& pattern, std::span<const std::byte> bytes) {
    if (bytes.size() > in_flight()) return false;
    if (!pattern.matches(start_ + received_, bytes)) return false;
    received_ += bytes.size();
    return true;
  }
  /// Goes on to the next message of `size` bytes if this one is back completely.
  [[nodiscard]] bool complete(std::uint64_t size) {
    if (received_ - completed_ < size) return false;
    completed_ += size;
    return true;
  }

  [[nodiscard]] std::uint64_t in_flight() const { return sent_ - received_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t completed() const { return completed_; }
  /// Whether all that was ever due is sent and back.
  [[nodiscard]] bool is_quiet() const { return received_ == due_; }

 private:
  std::uint64_t start_;
  std::uint64_t due_ = 0;  // due >= sent >= received >= completed
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t completed_ = 0;  // up to the end of the last whole message
};

}  // namespace muxlab
