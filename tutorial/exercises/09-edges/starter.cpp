#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {

/// A connected socket is watched for EPOLLIN. epoll_wait() never waits here: it returns what there
/// is, or 0. Put your answers in place of kOpen.
const std::vector<Prediction> predictions = {
    // Three bytes come. Three times: epoll_wait(), and if it reports the socket, one byte is read.
    // How many of the three calls report it, level-triggered?
    {"level_partial_reads", kOpen},
    // And with EPOLLET?
    {"edge_partial_reads", kOpen},
    // EPOLLET: one byte comes, then another, and then epoll_wait() is called three times, with
    // nothing read. How many of the three report the socket?
    {"edge_two_writes_before_a_wait", kOpen},
    // EPOLLET: a byte comes, epoll_wait() reports it, and it is not read. Another byte comes. How
    // many events does the next epoll_wait() return?
    {"edge_more_on_top_of_unread", kOpen},
    // EPOLLET: a byte comes, epoll_wait() reports it, it is not read. EPOLL_CTL_MOD, with the same
    // events as before. How many events does the next epoll_wait() return?
    {"edge_modify_with_unread", kOpen},
    // The same, but the byte is read before EPOLL_CTL_MOD.
    {"edge_modify_with_nothing_unread", kOpen},
    // EPOLLET, watched for EPOLLIN | EPOLLOUT; epoll_wait() has reported that there is room. Now a
    // byte comes. Which events are reported: "IN", "OUT" or "IN OUT"?
    {"edge_reports", kOpen},
    // EPOLLET: it has reported once and does not again. What does EPOLL_CTL_ADD of the same
    // descriptor say now: "ok", or which errno?
    {"edge_add_again", kOpen},
};

}  // namespace muxlab::exercise
