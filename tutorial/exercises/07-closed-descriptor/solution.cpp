#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// A socket with something to receive was added to an epoll instance, for EPOLLIN, level-triggered.
/// Then somebody closes it. Put a number or a word in place of kOpen; of a call that fails, the
/// name of errno, and "ok" of one that does not.
const std::vector<Prediction> predictions = {
    // It is closed. How many events does epoll_wait() return?
    {"closed", 0},
    // There is a duplicate, from dup(), and the number that was added is closed. How many events?
    {"closed_with_duplicate", 1},
    // In that state, what does epoll_ctl(EPOLL_CTL_DEL) with the closed number return?
    {"remove_closed", "EBADF"},
    // And with the duplicate's number?
    {"remove_duplicate", "ENOENT"},
    // The closed number is now that of another socket, which has something to receive too, while
    // the duplicate of the first still lives. What does EPOLL_CTL_ADD of it return?
    {"add_the_number_anew", "ok"},
    // And how many events does epoll_wait() return then?
    {"events_after_that", 2},
    // A descriptor that is watched is added again.
    {"add_twice", "EEXIST"},
};

}  // namespace muxlab::exercise
