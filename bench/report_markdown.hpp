#pragma once

#include <string>

#include "bench/report_document.hpp"

namespace muxlab {

/// `document` as Markdown with tables, for an issue or a README. Pictures are links to plots/
/// beside it, and their data is left out. The same document gives the same bytes.
std::string markdown_page(const Document& document);

}  // namespace muxlab
