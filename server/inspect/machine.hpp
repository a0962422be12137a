#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace muxlab {

/// What a reader has to know about this machine to judge a figure measured on it: kernel,
/// processors, virtualisation, mitigations, limits, network settings, versions of the libraries.
///
/// Reads /proc, /sys and /etc below `root`, so that a prepared folder can stand for another
/// machine. Each key is always there; what cannot be read is null, never an error. Units are in
/// the names. Changes nothing; may be called from any thread.
nlohmann::ordered_json machine_card(const std::filesystem::path& root = "/");

/// Memory that can still be taken, and the file of a control group that allows no more; empty: the
/// machine has no more.
struct MemoryLeft {
  std::uint64_t bytes;
  std::string set_by;
};

/// From a machine card: the least of MemAvailable and what its control groups leave.
std::optional<MemoryLeft> memory_left(const nlohmann::ordered_json& card);

}  // namespace muxlab
