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

/// The run of a script against one backend.
struct Trace {
  std::string backend;
  std::vector<Event> events;                             ///< between two steps grouped by thread
  std::vector<std::pair<std::string, int>> descriptors;  ///< DescriptorNames::all()
  std::vector<pid_t> threads;                            ///< the kernel's ids of the server threads
  std::array<std::uint64_t, kCallNames.size()> calls{};  ///< the server's counts, by kind
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  /// False if the server ran between two steps without a wait: another trace may differ.
  bool stood_still = true;
};

/// Runs the script against a server with one serving thread in this process. Repeats a trace in
/// which the server did not stand still, up to 20 traces in all. The last one may still have
/// `stood_still` false. The calls are the same each time,
/// except with libevent's select and poll, which begin with a random descriptor. Throws Failure:
/// unavailable if the backend does not work or never sleeps; failed if the server does not echo or
/// is not idle within 30 s.
Trace make_trace(const Backend& backend, const std::vector<Step>& steps);

/// Returns the JSON that server/trace/trace.schema.json describes.
nlohmann::ordered_json traces_json(const std::vector<Trace>& traces,
                                   const std::vector<Step>& steps);

/// Formats the time line of one backend.
std::string trace_text(const Trace& trace, const TextLayout& layout);
/// Formats two time lines and marks differences: side by side if they fit, else line by line.
std::string versus_text(const Trace& one, const Trace& other, const TextLayout& layout);

/// The clients of a script. Thread: one, which must be bound to a processor. Loopback delivers the
/// packets of one processor in order.
class ScriptedClients {
 public:
  /// Throws std::system_error.
  explicit ScriptedClients(std::uint16_t port);

  /// Performs a step other than a wait at once. Throws std::system_error, and Failure when the
  /// bytes to receive have not arrived or are not an echo.
  void perform(const Step& step);

  /// Returns when all sent packets have arrived, at the server's sockets and at the clients'.
  void let_all_arrive();

  /// Returns the names of the connected clients.
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

/// Binds the calling thread to the processor `cpu`. With `as_batch` it becomes SCHED_BATCH, whose
/// wake-ups do not pre-empt the running thread (sched(7)). Ignores errors.
void run_on(int cpu, bool as_batch);

}  // namespace muxlab::trace
