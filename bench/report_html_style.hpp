#pragma once

#include <string_view>

namespace muxlab {

/// How the report looks, by day and by night. The drawings are on white paper always.
std::string_view report_style();

}  // namespace muxlab
