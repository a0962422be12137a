#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// What does epoll_ctl(EPOLL_CTL_ADD) say, for EPOLLIN, of each of these? "ok", or the name of
/// errno. Put your answers in place of kOpen.
const std::vector<Prediction> predictions = {
    // A regular file, opened to be read.
    {"file", "EPERM"},
    // The same, opened with O_NONBLOCK.
    {"file_nonblocking", "EPERM"},
    // A directory.
    {"directory", "EPERM"},
    // /dev/null.
    {"null_device", "EPERM"},
    // A timerfd.
    {"timer", "ok"},
    // Another epoll instance.
    {"other_epoll", "ok"},
    // The epoll instance itself.
    {"same_epoll", "EINVAL"},
    // And without epoll: what does read() of a file return at its end, with O_NONBLOCK, while
    // somebody else may still append to it? The number, or the name of errno.
    {"read_at_the_end", 0},
};

}  // namespace muxlab::exercise
