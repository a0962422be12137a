#pragma once

#include <memory>

#include "backends/poller.hpp"

namespace muxlab::exercise {

/// Your own way of waiting: a Poller as backends/poller.hpp describes it. It is level-triggered
/// unless its trigger() says otherwise; add_exclusive(), add_once() and rearm() are not needed.
std::unique_ptr<Poller> make_own_poller();

}  // namespace muxlab::exercise
