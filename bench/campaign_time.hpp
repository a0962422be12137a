#pragma once

#include <string>

namespace muxlab {

/// The time now in UTC: 2026-01-31T09:30:00Z, and 20260131T093000Z for names of files.
std::string utc_now();
std::string utc_now_for_names();

}  // namespace muxlab
