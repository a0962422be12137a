#pragma once

#include <string_view>

namespace muxlab {

/// How the report looks. The drawings keep the colours of their curves; what gnuplot drew black or
/// grey around them follows the page, by the values that style.gp gives it.
std::string_view report_style();

}  // namespace muxlab
