#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bench/load/pattern.hpp"

namespace muxlab {

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
