#pragma once

#include "backends/poller.hpp"

namespace muxlab::exercise {

/// What a worker of the half-sync/half-reactive model does with a connection that it was given:
/// receives once, sends that back, and has the connection waited for again. The connection was
/// added with OneShotPoller::add_once(), so it is reported to one worker, and then to nobody before
/// rearm().
///
/// The messages are short: there is always room to send them.
void serve(int fd, OneShotPoller& poller);

}  // namespace muxlab::exercise
