#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// `muxlab trace`: the calls of one server thread, and what the clients do meanwhile.
namespace muxlab::trace {

/// What a script can have a client do.
///
///     connect NAME          opens a connection; NAME is a word of letters and digits
///     send NAME BYTES       sends so much, as one message; 4k is 4096
///     receive NAME BYTES    takes in so much of the echo
///     end NAME              ends its side of the stream: the server receives an end of stream
///     close NAME            closes the connection: with a reset if it has something to receive
///     reset NAME            closes it with a reset in any case: the server's next call fails
///     wait                  until the server is idle: until each of its threads sleeps in a call
///
/// A step stands on a line; what follows a # is a comment. Between two waits the server stands
/// still, so that all that was done is there at once when it goes on. A receive waits first, and
/// the end of the script waits too.
enum class Action : std::uint8_t { connect, send, receive, end, close, reset, wait };

struct Step {
  Action action;
  std::string client;     ///< empty for a wait
  std::size_t bytes = 0;  ///< of send and receive
  std::size_t line = 0;   ///< where it stands, from 1
};

/// As it is written in a script.
std::string describe(const Step& step);

/// The steps of a script, which can all be carried out: nobody sends who is not connected, or
/// receives what was not sent. `name` is what messages call the script. Throws Failure (usage),
/// which names the line.
std::vector<Step> parse_script(std::string_view text, std::string_view name);

/// The most that a client may have sent and not received: less than the kernel has room for.
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

/// What stands above about scripts, and the default one, for the help text.
std::string script_help();

}  // namespace muxlab::trace
