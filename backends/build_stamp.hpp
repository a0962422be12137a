#pragma once

#include <string_view>

namespace muxlab {

/// What this program was built from, and how. Written by CMake with every build.
struct BuildStamp {
  std::string_view commit;  ///< with "-dirty" when files were changed; "unknown" outside a checkout
  std::string_view type;    ///< CMAKE_BUILD_TYPE
  std::string_view flags;   ///< CMAKE_CXX_FLAGS
};

extern const BuildStamp build_stamp;

}  // namespace muxlab
