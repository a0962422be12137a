#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

namespace muxlab {

/// How a connection failed. Each connection fails once at most.
enum class LoadError : std::uint8_t {
  connect,       ///< could not be opened
  reset,         ///< reset by the server
  closed,        ///< closed by the server
  mismatch,      ///< bytes came back that differ from those sent, or that were never sent
  timeout,       ///< not one reply during the whole run
  unanswered,    ///< replied, but not to everything within the grace time after the run
  system,        ///< any other error of recv(2) or send(2)
  conservation,  ///< bytes sent are not bytes received plus bytes missing: a bug in this client
};

inline constexpr std::array<std::string_view, 8> kLoadErrorNames = {
    "connect", "reset", "closed", "mismatch", "timeout", "unanswered", "system", "conservation"};

/// How many connections failed, by how.
class LoadErrors {
 public:
  void add(LoadError error) { ++counts_[static_cast<std::size_t>(error)]; }
  void merge(const LoadErrors& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::uint64_t of(LoadError error) const {
    return counts_[static_cast<std::size_t>(error)];
  }
  [[nodiscard]] std::uint64_t total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  }

 private:
  std::array<std::uint64_t, kLoadErrorNames.size()> counts_{};
};

}  // namespace muxlab
