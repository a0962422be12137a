#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace muxlab {

/// Returns the facts about this machine that affect measurements: kernel, processors,
/// virtualisation, mitigations, limits, network settings, versions of the libraries.
///
/// Reads /proc, /sys and /etc below `root`, so a prepared folder can stand for another machine.
/// Every key is always present; an unreadable value is null, never an error. Units are in the
/// names. Thread: any.
nlohmann::ordered_json machine_card(const std::filesystem::path& root = "/");

/// Available memory.
struct MemoryLeft {
  std::uint64_t bytes;
  std::string set_by;  ///< the file of the limiting control group; empty: the machine
};

/// Returns the smaller of MemAvailable and the rest of the control group's limit, if any is known.
std::optional<MemoryLeft> memory_left(const nlohmann::ordered_json& card);

}  // namespace muxlab
