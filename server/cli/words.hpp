#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace muxlab {

/// Names of files and fields of files are data that may hold any byte. These make them fit for the
/// place where they are shown.

/// `text` with a space for each control character, which a terminal takes for a command.
std::string one_line(std::string_view text);

/// `text` as one word of a shell such as bash: as it is where that is one, else quoted.
std::string shell_word(std::string_view text);

/// The first `columns` characters of `text`, which is UTF-8.
std::string_view cut_to(std::string_view text, std::size_t columns);

}  // namespace muxlab
