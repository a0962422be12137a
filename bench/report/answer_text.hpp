#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/analysis/answer.hpp"

namespace muxlab {

/// The answer for a terminal: a table of at most 100 columns, what it says in sentences, and how
/// far to believe it. Ends with a line feed.
std::string answer_text(const Answer& answer);

/// How far to believe it: the self-check, the machine, and what is broken, missing or unusual. One
/// line each.
std::vector<std::string> trust_notes(const Answer& answer);

/// "cheaper", "more expensive", as people and files have it.
std::string_view verdict_words(Verdict verdict);  ///< "more expensive"
std::string_view verdict_key(Verdict verdict);    ///< "more_expensive"

/// "median latency"
std::string metric_words(Metric metric);

/// "0.905 (0.883 to 0.926)": three significant digits.
std::string ratio_words(const Finding& finding);
/// "more expensive" or "unclear (at most 6 %)", with what is ruled out, or why nothing is.
std::string verdict_with_reason(const Compared& compared);

/// "io-uring 0.93, bufferevent 1.52": the contenders so far, those nearest to 1 left out; at most
/// `width` characters.
std::string interim_words(const Answer& answer, std::size_t load, std::size_t width);

}  // namespace muxlab
