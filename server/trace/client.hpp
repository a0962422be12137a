#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "backends/parts/unique_fd.hpp"
#include "server/trace/script.hpp"

namespace muxlab::trace {

/// The clients of a script, on one thread, which is to be bound to a processor: what they send goes
/// to the server in order.
class ScriptedClients {
 public:
  /// Throws std::system_error.
  explicit ScriptedClients(std::uint16_t port);

  /// Does it at once; not a wait. What is received must be there already, and the echo of what was
  /// sent. Throws Failure when it is not, and std::system_error.
  void perform(const Step& step);

  /// Returns when all that was sent has arrived at the server's sockets, and at the clients' what
  /// the server has sent.
  void let_all_arrive();

  [[nodiscard]] std::vector<std::string> open() const;

 private:
  struct Client {
    UniqueFd socket;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };

  void connect(const std::string& name);
  static void send(Client& client, std::size_t size);
  static void receive(Client& client, const Step& step);
  static void reset(Client& client);

  std::uint16_t port_;
  std::map<std::string, Client> clients_;
  UniqueFd to_itself_;  ///< a datagram socket that is connected to itself
};

/// Binds the calling thread to the processor `cpu`; for a batch thread, being woken up is no reason
/// to take the processor from who runs there. Where that is not allowed nothing happens.
void run_on(int cpu, bool as_batch);

}  // namespace muxlab::trace
