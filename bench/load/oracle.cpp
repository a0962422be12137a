#include "bench/load/oracle.hpp"

#include <fmt/format.h>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"

namespace muxlab {

void check_oracle(const LoadOptions& options) {
  if (!options.oracle) return;
  const auto refuse = [](const std::string& what) {
    throw Failure(ExitCode::usage, "--oracle is not for " + what);
  };
  if (options.threads != 1) {
    refuse(fmt::format("--threads {}: one thread tells, so ask for 1", options.threads));
  }
  if (options.engine == LoadEngine::io_uring) {
    refuse("--engine io-uring: what it sends goes out later, with the next wait");
  }
  if (options.churn) refuse("--churn: the server is asked once what it calls the connections");
  if (options.rate) refuse("--rate: a connection could have several messages in flight");
  if (options.depth != 1) {
    refuse(fmt::format("--depth {}: two messages could come with one receive, so ask for 1",
                       options.depth));
  }
  if (options.size_bytes > kBufferSize) {
    refuse(fmt::format("--size {}: a message has to come with one receive, which takes {}",
                       options.size_bytes, kBufferSize));
  }
  if (options.connect.starts_with("unix:")) {
    refuse("unix sockets: a connection is named by its address and port");
  }
}

OracleTeller::OracleTeller(const std::string& path)
    : board_(OracleBoard::open(path)), path_(path) {}

OracleTeller::~OracleTeller() {
  if (has_begun_) board_.end_reporting();
}

void OracleTeller::begin(std::span<LoadConnection> connections) {
  const auto published = board_.published();
  for (const LoadConnection& connection : connections) {
    if (!connection.fd) continue;
    const auto found = published.find(name_of_socket(connection.fd.get()));
    if (found == published.end()) {
      throw Failure(
          ExitCode::usage,
          fmt::format("--oracle {} is of another server than the one connected to", path_));
    }
    at_server_[connection.fd.get()] = found->second;
  }
  has_begun_ = board_.begin_reporting();
  if (!has_begun_) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("--oracle {}: another client tells that server already", path_));
  }
}

}  // namespace muxlab
