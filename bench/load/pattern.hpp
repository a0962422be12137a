#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace muxlab {

/// An endless stream of pseudo-random bytes with a prime period.
///
/// It stores one period and the longest run of the next. So connections send any run from here and
/// compare echoes with it, without a buffer each. Each connection starts at another position. A
/// byte that is lost, doubled, reordered or delivered to another connection then differs from the
/// expected byte, except with the chance of 1 in 256 that two random bytes are equal. No power of
/// two is a multiple of the period, so a block that a buffer repeats or drops is detected too.
///
/// Thread: immutable, so any number of threads may read it.
class Pattern {
 public:
  static constexpr std::size_t kPeriod = 32'749;

  /// `longest_run`: the most bytes that callers will pass to at() and matches().
  explicit Pattern(std::size_t longest_run) : bytes_(kPeriod + longest_run) {
    std::uint32_t state = 2'463'534'242;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      state ^= state << 13;  // xorshift32 (Marsaglia 2003)
      state ^= state >> 17;
      state ^= state << 5;
      bytes_[i] = i < kPeriod ? static_cast<std::byte>(state >> 24) : bytes_[i - kPeriod];
    }
  }

  /// Returns the start position of connection `index`. The first kPeriod connections have distinct
  /// positions, and neighbours are far apart.
  [[nodiscard]] static std::uint64_t start_of(std::uint64_t index) {
    return index % kPeriod * 12'553 % kPeriod;
  }

  /// Returns `size` bytes of the stream from `position` on.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t position, std::size_t size) const {
    assert(size <= longest_run());
    return {bytes_.data() + position % kPeriod, size};
  }

  /// Returns true if `bytes` equal the stream from `position` on.
  [[nodiscard]] bool matches(std::uint64_t position, std::span<const std::byte> bytes) const {
    return std::memcmp(at(position, bytes.size()).data(), bytes.data(), bytes.size()) == 0;
  }

  [[nodiscard]] std::size_t longest_run() const { return bytes_.size() - kPeriod; }

 private:
  std::vector<std::byte> bytes_;
};

/// The progress of one connection in the stream that it sends and gets back. No I/O, no buffer.
class EchoStream {
 public:
  explicit EchoStream(std::uint64_t start = 0) : start_(start) {}

  /// Makes `bytes` more bytes due for sending.
  void extend(std::uint64_t bytes) { due_ += bytes; }
  [[nodiscard]] std::uint64_t due() const { return due_; }
  [[nodiscard]] std::uint64_t unsent() const { return due_ - sent_; }
  /// Returns the bytes to send next: all unsent ones, at most the longest run of `pattern`.
  [[nodiscard]] std::span<const std::byte> next_run(const Pattern& pattern) const {
    const std::uint64_t longest = pattern.longest_run();
    return pattern.at(start_ + sent_, static_cast<std::size_t>(std::min(unsent(), longest)));
  }
  void add_sent(std::size_t bytes) { sent_ += bytes; }
  /// Marks the last `bytes` bytes in flight as unsent again.
  void take_back(std::uint64_t bytes) { sent_ -= bytes; }

  /// Counts received bytes. Returns false if they are not the next bytes in flight.
  [[nodiscard]] bool accept(const Pattern& pattern, std::span<const std::byte> bytes) {
    if (bytes.size() > in_flight()) return false;
    if (!pattern.matches(start_ + received_, bytes)) return false;
    received_ += bytes.size();
    return true;
  }
  /// Completes the oldest message, of `size` bytes. Returns false if part of it is still missing.
  [[nodiscard]] bool complete(std::uint64_t size) {
    if (received_ - completed_ < size) return false;
    completed_ += size;
    return true;
  }

  [[nodiscard]] std::uint64_t in_flight() const { return sent_ - received_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t completed() const { return completed_; }
  /// Returns true if every byte that was due is sent and back.
  [[nodiscard]] bool is_quiet() const { return received_ == due_; }

 private:
  std::uint64_t start_;
  std::uint64_t due_ = 0;  // due >= sent >= received >= completed
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t completed_ = 0;  // up to the end of the last whole message
};

}  // namespace muxlab
