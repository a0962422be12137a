#include "bench/load_check.hpp"

#include <fmt/format.h>

#include <string>

#include "backends/descriptor_limit.hpp"
#include "backends/failure.hpp"
#include "bench/load_oracle.hpp"

namespace muxlab {

void check_options(const LoadOptions& options) {
  const auto reject = [](const std::string& message) { throw Failure(ExitCode::usage, message); };
  if (options.connections == 0) reject("--connections 0: at least one has to echo");
  if (options.size_bytes == 0) reject("--size 0: a message has at least one byte");
  if (options.depth == 0) reject("--depth 0: at least one message has to be in flight");
  if (options.rate == 0U) reject("--rate 0: at least one message per second");
  if (options.churn == 0U) reject("--churn 0: a connection echoes at least once");
  if (options.churn && options.rate) {
    reject("--churn is for a closed loop, which knows what is in flight: leave out --rate");
  }
  if (options.threads == 0) reject("--threads 0: at least one has to run");
  if (options.threads > options.connections) {
    reject(fmt::format("--threads {} is more than --connections {}: a thread needs a connection",
                       options.threads, options.connections));
  }
  check_oracle(options);
  constexpr std::chrono::hours kLongest{24};
  if (options.duration.count() <= 0) reject("--duration 0: nothing would be measured");
  if (options.duration > kLongest) reject("--duration is too long: at most a day");
  if (options.warmup.count() < 0) reject("--warmup is negative: at least 0");
  if (options.warmup > kLongest) reject("--warmup is too long: at most a day");
}

void reserve_descriptors(const LoadOptions& options) {
  const std::uint64_t others =
      kClientDescriptors + options.threads;  // an epoll instance or a ring each
  const std::uint64_t limit = raise_descriptor_limit();
  const std::uint64_t wanted = options.connections + options.idle;
  if (wanted + others <= limit) return;
  throw Failure(ExitCode::unavailable,
                fmt::format("--connections {} and --idle {} need {} descriptors and the hard limit "
                            "is {}: raise it (ulimit -Hn), or ask for {} connections at most",
                            options.connections, options.idle, wanted + others, limit,
                            limit > others ? limit - others : 0));
}

}  // namespace muxlab
