#pragma once

#include <string_view>

#include "bench/report_html.hpp"

namespace muxlab {

/// A drawing of gnuplot's, as a part of a page that holds others: each id begins with `name`, which
/// makes it unique, nothing refers to anything outside, the white sheet below it is gone so that
/// the page may be dark, and it has a title and a description to be read aloud.
///
/// Throws std::runtime_error for an element or an attribute that drawings do not have, a script
/// above all: whatever is not known is not let into the page.
html::Html inline_svg(std::string_view drawing, std::string_view name, std::string_view title,
                      std::string_view description);

}  // namespace muxlab
