#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// Four threads sleep in epoll_wait() because of one listener, and one client connects. No thread
/// accepts before all that will wake are awake. How many wake? Put a number in place of kOpen.
const std::vector<Prediction> predictions = {
    // Each thread has an epoll instance of its own, and added the listener for EPOLLIN.
    {"own_epoll", kOpen},
    // The same, but added for EPOLLIN | EPOLLEXCLUSIVE.
    {"own_epoll_exclusive", kOpen},
    // All four wait on one epoll instance, to which the listener was added for EPOLLIN.
    {"one_epoll_level", kOpen},
    // The same, but added for EPOLLIN | EPOLLET.
    {"one_epoll_edge", kOpen},
    // In the first case, all that are awake call accept(). How many get EAGAIN?
    {"in_vain", kOpen},
};

}  // namespace muxlab::exercise
