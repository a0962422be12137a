# Tests of the tutorial: that its checker finds what it should, that the text is true, that the commands in it work.

add_test(NAME tutorial_checker COMMAND python3 -m unittest discover --top-level-directory ${CMAKE_SOURCE_DIR}/scripts
  --start-directory ${CMAKE_SOURCE_DIR}/scripts/tutorial_check --pattern "*_test.py")
set_tests_properties(tutorial_checker PROPERTIES ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
add_test(NAME tutorial_text COMMAND ${CMAKE_SOURCE_DIR}/scripts/tutorial --build ${CMAKE_BINARY_DIR})

# What commands print does not depend on how muxlab was built: once is enough, and the tutorial says release.
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  file(GLOB chapters CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tutorial/[0-9][0-9]-*.md)
  foreach(chapter ${chapters})
    cmake_path(GET chapter FILENAME name)
    string(SUBSTRING ${name} 0 2 number)
    add_test(NAME tutorial_commands.${number}
      COMMAND ${CMAKE_SOURCE_DIR}/scripts/tutorial --build ${CMAKE_BINARY_DIR} --run-only ${name})
  endforeach()
endif()
