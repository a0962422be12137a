#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

/// The mechanism parts of `muxlab inspect --json`. Each function tries every feature on this
/// machine. A card contains the reason for a failure instead of an exception. The functions leave
/// no descriptor, thread or process behind. Thread: one at a time.
namespace muxlab {

/// Tries EPOLLEXCLUSIVE, epoll_pwait2(2) and busy polling.
nlohmann::ordered_json epoll_card();

/// Makes a ring and lists its features, and the operations of the kernel and of the headers. Tries
/// multishot requests, buffer rings and set-up flags, which no list contains. Reads /proc below
/// `root`.
nlohmann::ordered_json io_uring_card(const std::filesystem::path& root = "/");

/// Returns versions, the compiled-in methods and the environment's switches. Each method has its
/// features, its highest descriptor, and whether it reported a ready one.
nlohmann::ordered_json libevent_card();

}  // namespace muxlab
