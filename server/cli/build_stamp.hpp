#pragma once

#include <string_view>

namespace muxlab {

/// The sources and flags that this program was built from. CMake writes it at every build.
struct BuildStamp {
  std::string_view version;
  std::string_view commit;  ///< "-dirty" appended if files changed; "unknown" outside a checkout
  std::string_view date;    ///< of the commit, 2026-01-31; empty outside a checkout
  std::string_view type;    ///< CMAKE_BUILD_TYPE
  std::string_view flags;   ///< CMAKE_CXX_FLAGS

  /// Returns true when a compiler flag contains `begin`.
  [[nodiscard]] constexpr bool has_flag(std::string_view begin) const {
    return flags.find(begin) != std::string_view::npos;
  }
};

extern const BuildStamp build_stamp;

}  // namespace muxlab
