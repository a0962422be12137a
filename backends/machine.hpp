#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace muxlab {

/// What a reader has to know about this machine to judge a figure measured on it: kernel,
/// processors, virtualisation, mitigations, limits, network settings, versions of the libraries.
///
/// Reads /proc, /sys and /etc below `root`, so that a prepared folder can stand for another
/// machine. Each key is always there; what cannot be read is null, never an error. Units are in
/// the names. Changes nothing; may be called from any thread.
nlohmann::ordered_json machine_card(const std::filesystem::path& root = "/");

}  // namespace muxlab
