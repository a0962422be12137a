#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "backends/parts/unique_fd.hpp"

namespace muxlab::exercise {

/// Joins its clients in pairs, in the order in which they come: what one says, the other hears.
/// When one leaves, the other is sent away too.
class Relay {
 public:
  explicit Relay(UniqueFd listener);

  /// Handles one batch of epoll_wait(2), level-triggered. False when there was none: it does not
  /// wait, so that the check never hangs.
  bool turn();

 private:
  struct Client {
    UniqueFd socket;
    int partner = -1;  ///< -1: waits for one
  };

  void handle(int fd, std::uint32_t events);
  void accept();
  static void pass_on(const Client& client);
  void send_away(int fd);
  void close(int fd);
  void watch(int fd);

  UniqueFd epoll_;
  UniqueFd listener_;
  int waits_for_partner_ = -1;
  std::map<int, Client> clients_;  ///< by descriptor
  std::vector<UniqueFd> spare_;    ///< room for what a solution may want to keep for a while
};

}  // namespace muxlab::exercise
