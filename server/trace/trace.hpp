#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/cli/text_layout.hpp"
#include "server/trace/log.hpp"
#include "server/trace/script.hpp"

namespace muxlab::trace {

/// What one backend did with a script.
struct Trace {
  std::string backend;
  std::vector<Event> events;  ///< between two steps the calls of a thread stand together
  std::vector<std::pair<std::string, int>> descriptors;  ///< as DescriptorNames has them
  std::vector<pid_t> threads;                            ///< the ids that the kernel gave them
  std::array<std::uint64_t, kCallNames.size()> calls{};  ///< as they were counted, by kind
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  /// Whether the server stood still between the waits. Where it did not, something else might come
  /// out the next time.
  bool stood_still = true;
};

/// Runs a server with one serving thread in this process, and the script against it. The calls are
/// the same each time, if not for libevent's select and poll, which draw lots for the descriptor
/// that they begin with. A trace in which the server could not be made to stand still is made
/// again, a few times. Throws Failure:
/// unavailable where the backend does not work or never sleeps, failed where the server does
/// something else than to echo.
Trace make_trace(const Backend& backend, const std::vector<Step>& steps);

/// The format is server/trace/trace.schema.json.
nlohmann::ordered_json traces_json(const std::vector<Trace>& traces,
                                   const std::vector<Step>& steps);

/// The time line of one backend.
std::string trace_text(const Trace& trace, const TextLayout& layout);
/// Two of them: side by side where there is room, else line by line. What differs is marked.
std::string versus_text(const Trace& one, const Trace& other, const TextLayout& layout);

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
