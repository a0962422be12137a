#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace muxlab::trace {

/// What the server's descriptors are called in a trace, so that two traces can be compared whatever
/// numbers the kernel gave: a connection is called like its client, others after what they are:
/// "listener", "stop", "epoll", "ring", "eventfd", "timerfd"; "eventfd2" is the second of those.
class DescriptorNames {
 public:
  void give(int fd, std::string name);
  /// A client begins to connect; connections are accepted in that order.
  void client_connects(std::string name) { connecting_.push_back(std::move(name)); }
  /// It is that of the next client.
  void accepted(int fd);
  void closed(int fd) { names_.erase(fd); }

  /// Asks /proc about one that has no name yet.
  std::string of(int fd);

  /// All names that were given, and the numbers they were given to, in that order.
  [[nodiscard]] const std::vector<std::pair<std::string, int>>& all() const { return all_; }

 private:
  std::map<int, std::string> names_;
  std::map<std::string, int> count_;  ///< how often each word was used
  std::deque<std::string> connecting_;
  std::vector<std::pair<std::string, int>> all_;
};

}  // namespace muxlab::trace
