#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// A non-blocking socket whose peer reads nothing. Put a number or a word in place of kOpen.
const std::vector<Prediction> predictions = {
    // One send() of 8 MiB over TCP, on loopback: does it take all of it? "yes" or "no"
    {"takes_all", "no"},
    // It is called again and again until it fails. With which errno? Such as "EPIPE"
    {"ends_with", "EAGAIN"},
    // setsockopt(SO_SNDBUF, 65536): what does getsockopt(SO_SNDBUF) say then?
    {"buffer_of_65536", 131072},
    // A local socket (AF_UNIX) whose send buffer is full. The peer reads one byte. Does poll()
    // report that there is room? "yes" or "no"
    {"room_after_one_byte", "no"},
    // 100 bytes are sent, and the sender closes at once. How many does the peer receive after that?
    {"arrive_after_close", 100},
    // After shutdown(SHUT_WR) on this end: with which errno does send() fail?
    {"after_shutdown", "EPIPE"},
};

}  // namespace muxlab::exercise
