#pragma once

#include <string>

#include "bench/report_document.hpp"

namespace muxlab {

/// `document` as one file of HTML that needs no other, no network and no script: its pictures and
/// its data are in it. Light or dark as the reader's system is, from 400 pixels of width on, and
/// all of it can be reached by keyboard. The same document gives the same bytes.
std::string html_page(const Document& document);

}  // namespace muxlab
