# The small programs of the tutorial: each is one file, built as tutorial/NAME in the build folder.
pkg_check_modules(LIBEVENT_EXTRA REQUIRED IMPORTED_TARGET libevent_extra)
pkg_check_modules(LIBEVENT_OPENSSL REQUIRED IMPORTED_TARGET libevent_openssl)
pkg_check_modules(LIBSSL REQUIRED IMPORTED_TARGET libssl libcrypto)

add_custom_target(tutorial_programs)
file(GLOB tutorial_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
set(tutorial_tests ${tutorial_sources})
list(FILTER tutorial_sources EXCLUDE REGEX "_test\\.cpp$")
list(FILTER tutorial_tests INCLUDE REGEX "_test\\.cpp$")
if(COMMAND keep_what_has_threads)
  keep_what_has_threads(tutorial_sources)
endif()
foreach(source ${tutorial_sources})
  cmake_path(GET source STEM name)
  add_executable(tutorial_${name} ${source})
  set_target_properties(tutorial_${name} PROPERTIES OUTPUT_NAME ${name} UNITY_BUILD OFF
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tutorial)
  target_link_libraries(tutorial_${name} PRIVATE fmt::fmt Threads::Threads PkgConfig::LIBEVENT
    PkgConfig::LIBEVENT_EXTRA PkgConfig::LIBEVENT_OPENSSL PkgConfig::LIBSSL PkgConfig::LIBURING)
  target_link_options(tutorial_${name} PRIVATE LINKER:--as-needed)  # each to its own libraries
  add_dependencies(tutorial_programs tutorial_${name})
endforeach()

if(NOT MUXLAB_TESTS)
  return()
endif()
set(filter "*")
if(is_about_threads)
  set(filter "*ThreadEcho.*:*/thread_echo:*.SignalsAndTimers")
endif()
add_folder_test(tutorial_programs 4 ${tutorial_tests} FILTER "${filter}")
add_dependencies(tutorial_programs_test tutorial_programs)
target_link_libraries(tutorial_programs_test PRIVATE PkgConfig::LIBSSL)
target_compile_definitions(tutorial_programs_test PRIVATE
  MUXLAB_TUTORIAL_DIR="${CMAKE_BINARY_DIR}/tutorial")
