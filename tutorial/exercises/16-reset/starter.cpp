#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// A TCP connection and what its peer does. Put in place of kOpen what the call returns: the number
/// of bytes, or the name of errno.
const std::vector<Prediction> predictions = {
    // The peer closes. The first recv()?
    {"end_first_recv", kOpen},
    // And the second?
    {"end_second_recv", kOpen},
    // And then the first send(), of one byte?
    {"end_first_send", kOpen},
    // The peer resets the connection. The first recv()?
    {"reset_first_recv", kOpen},
    // And the second?
    {"reset_second_recv", kOpen},
    // And then send(), with MSG_NOSIGNAL?
    {"reset_send", kOpen},
    // The peer sends four bytes and then resets. The first recv()?
    {"data_before_reset", kOpen},
    // Four bytes are sent to the peer, which does not read them and closes. The first recv()?
    {"closed_with_something_unread", kOpen},
    // A client connects, and resets before it is accepted. accept4(): "ok", or which errno?
    {"accept_after_reset", kOpen},
};

}  // namespace muxlab::exercise
