#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string_view>

namespace muxlab {

/// How the gaps between the messages of an open loop are drawn.
enum class Gaps : std::uint8_t {
  poisson,  ///< exponential: as from many senders that know nothing of each other
  fixed,    ///< all the same
};

inline std::string_view gaps_name(Gaps gaps) { return gaps == Gaps::fixed ? "fixed" : "poisson"; }

/// When each message of an open loop is due, whatever became of those before. The same arguments
/// give the same times.
class Arrivals {
 public:
  /// `per_s` of them, more than 0, drawn from `seed`.
  Arrivals(double per_s, Gaps gaps, std::uint64_t seed)
      : mean_gap_ns_(1e9 / per_s), gaps_(gaps), random_(seed) {}

  /// The first one is due a gap after `now_ns`; one of `shares` fixed schedules, of which this is
  /// number `share`, so much earlier that together they are evenly spaced too.
  void start(std::int64_t now_ns, std::uint64_t share, std::uint64_t shares) {
    began_ns_ = now_ns;
    elapsed_ns_ = gaps_ == Gaps::fixed
                      ? -mean_gap_ns_ * static_cast<double>(share) / static_cast<double>(shares)
                      : 0;
    advance();
  }

  /// Of CLOCK_MONOTONIC.
  [[nodiscard]] std::int64_t due_ns() const { return began_ns_ + std::llround(elapsed_ns_); }
  void advance() { elapsed_ns_ += gaps_ == Gaps::fixed ? mean_gap_ns_ : exponential_gap_ns(); }

  /// One of `count`, each as likely as the others.
  std::uint64_t choose(std::uint64_t count) { return random_() % count; }

 private:
  /// By inversion, so that it is the same with every standard library.
  double exponential_gap_ns() {
    constexpr double kUlp = 0x1p-53;
    return -std::log1p(-static_cast<double>(random_() >> 11) * kUlp) * mean_gap_ns_;
  }

  double mean_gap_ns_;
  Gaps gaps_;
  std::mt19937_64 random_;
  std::int64_t began_ns_ = 0;
  double elapsed_ns_ = 0;  // a sum of gaps of fractions: no error of rounding adds up to a rate
};

}  // namespace muxlab
