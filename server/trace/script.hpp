#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// `muxlab trace`: the calls of a server with one serving thread, and the steps of its clients.
namespace muxlab::trace {

/// The steps of a script.
///
///     connect NAME          opens a connection; NAME is a word of letters and digits
///     send NAME BYTES       sends so many bytes, as one message; 4k is 4096
///     receive NAME BYTES    receives so many bytes of the echo
///     end NAME              half-closes the connection: the server receives an end of stream
///     close NAME            closes the connection: with a reset if it has something to receive
///     reset NAME            closes the connection with a reset: the server's next call fails
///     wait                  waits until the server is idle: each of its threads sleeps in a call
///
/// Each line has one step; a # begins a comment. The server does not run between two waits, so it
/// finds the results of all steps at once. A receive waits first, and the script ends with a wait.
enum class Action : std::uint8_t { connect, send, receive, end, close, reset, wait };

struct Step {
  Action action;
  std::string client;     ///< empty for a wait
  std::size_t bytes = 0;  ///< of send and receive
  std::size_t line = 0;   ///< in the script, from 1
};

/// Returns the step in the syntax of a script.
std::string describe(const Step& step);

/// Returns the steps of a script, in which only connected clients send, and receive only what they
/// sent. Messages call the script `name`. Throws Failure (usage), which names the line.
std::vector<Step> parse_script(std::string_view text, std::string_view name);

/// The maximum of bytes that a client has sent and not received: they fit into kernel buffers.
inline constexpr std::size_t kMostUnreceived = std::size_t{64} * 1024;

/// One connection: an echo, two messages before one wait, and its end.
inline constexpr const char* kDefaultScript =
    "connect a\n"
    "wait\n"
    "send a 64\n"
    "wait\n"
    "receive a 64\n"
    "wait\n"
    "send a 64      # two messages that are there at once\n"
    "send a 64\n"
    "wait\n"
    "receive a 128\n"
    "wait\n"
    "end a\n"
    "wait\n"
    "close a\n";

/// Returns the help text about scripts, with the default one.
std::string script_help();

}  // namespace muxlab::trace
