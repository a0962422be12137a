#include "bench/load/oracle.hpp"

#include <fmt/format.h>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"

namespace muxlab {

void check_oracle(const LoadOptions& options) {
  if (!options.oracle) return;
  const auto refuse = [](const std::string& conflict) {
    throw Failure(ExitCode::usage, "--oracle is not for " + conflict);
  };
  if (options.threads != 1) {
    refuse(fmt::format("--threads {}: only one thread may report, so use 1", options.threads));
  }
  if (options.engine == LoadEngine::io_uring) {
    refuse("--engine io-uring: it sends later, with the next wait");
  }
  if (options.churn) refuse("--churn: the client looks up the server's connections only once");
  if (options.rate) refuse("--rate: a connection could have several messages in flight");
  if (options.depth != 1) {
    refuse(
        fmt::format("--depth {}: one receive could return two messages, so use 1", options.depth));
  }
  if (options.size_bytes > kBufferSize) {
    refuse(fmt::format("--size {}: one receive must return a message, at most {} bytes",
                       options.size_bytes, kBufferSize));
  }
  if (options.connect.starts_with("unix:")) {
    refuse("unix sockets: address and port identify a connection");
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
          fmt::format("--oracle {} belongs to another server than the connected one", path_));
    }
    at_server_[connection.fd.get()] = found->second;
  }
  has_begun_ = board_.begin_reporting();
  if (!has_begun_) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("--oracle {}: another client already reports to that server", path_));
  }
}

}  // namespace muxlab
