#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// What poll() reports in revents. Names without POLL, in the order IN OUT RDHUP ERR HUP NVAL with
/// a space between, such as "IN HUP"; "-" for none. Put your answers in place of kOpen.
const std::vector<Prediction> predictions = {
    // Asked for IN, on a connection on which four bytes have come and after them the end of the
    // stream.
    {"data_and_end", kOpen},
    // Asked for nothing (events = 0), on a local socket whose peer has closed.
    {"asked_for_nothing", kOpen},
    // Asked for IN, on the reading end of an empty pipe whose writing end is closed.
    {"pipe_without_writer", kOpen},
    // Asked for IN, on a number that is no open descriptor.
    {"closed", kOpen},
    // Asked for IN, with fd = -1.
    {"negative", kOpen},
    // Asked for IN and OUT, on a regular file, at its end.
    {"file_at_its_end", kOpen},
    // What does poll() return for three entries: one that is readable, one that is idle, one
    // closed?
    {"returns", kOpen},
};

}  // namespace muxlab::exercise
