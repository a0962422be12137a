#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

/// What this machine's mechanisms can do, each found out by using it, as parts of `muxlab inspect
/// --json`. Where something does not work the reason is in the card; nothing is thrown for it. All
/// may be called from one thread at a time, and leave no descriptor, thread or process behind.
namespace muxlab {

/// EPOLLEXCLUSIVE, epoll_pwait2(2), busy polling.
nlohmann::ordered_json epoll_card();

/// Whether a ring can be made, its features, the operations that kernel and headers know, and what
/// no list tells: multishot requests, buffer rings, the ways to set up a ring. `root` is where
/// /proc is looked for.
nlohmann::ordered_json io_uring_card(const std::filesystem::path& root = "/");

/// Its versions; the methods it was compiled with, which of them really report a descriptor, up to
/// which one, and their features; what the environment switches.
nlohmann::ordered_json libevent_card();

}  // namespace muxlab
