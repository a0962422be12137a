# Tests of the tutorial: its checker and its text; with scripts/test --full also its commands and its pages.

set(scripts ${CMAKE_SOURCE_DIR}/scripts)
set(python ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=${scripts}
  /usr/bin/python3)  # Debian's, which has the packages of Debian
if(NOT is_sanitized)
  add_test(NAME tutorial_text COMMAND ${scripts}/tutorial --build ${CMAKE_BINARY_DIR})
endif()

# The rest does not depend on the build: once is enough, with the release build that the tutorial uses.
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_test(NAME tutorial_checker COMMAND ${python} -m unittest discover --start-directory ${scripts}
    --pattern "*_test.py")
  file(GLOB chapters CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tutorial/[0-9][0-9]-*.md)
  foreach(chapter ${chapters})
    cmake_path(GET chapter FILENAME name)
    string(SUBSTRING ${name} 0 2 number)
    add_test(NAME tutorial_commands.${number}
      COMMAND ${scripts}/tutorial --build ${CMAKE_BINARY_DIR} --run-only ${name})
    # They measure, and look at a server from outside: alone, as for a reader.
    set_tests_properties(tutorial_commands.${number} PROPERTIES RUN_SERIAL ON LABELS whole)
  endforeach()
  add_test(NAME tutorial_site COMMAND ${python} -m tutorial_site --out ${CMAKE_BINARY_DIR}/site)
  set_tests_properties(tutorial_site PROPERTIES SKIP_RETURN_CODE 3 LABELS whole)  # scripts/test installs its tools
endif()
