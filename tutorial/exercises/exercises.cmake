# The exercises of the tutorial, one folder each. check.cpp is linked with starter.cpp, which must fail with the words in
# the first line of check.cpp, and with solution.cpp, which must pass. The target `exercises` builds all, and
# scripts/test --full tests them.
set(exercises ${CMAKE_CURRENT_LIST_DIR})
file(GLOB sources CONFIGURE_DEPENDS ${exercises}/*.cpp)
add_library(exercise_checking STATIC EXCLUDE_FROM_ALL ${sources})
target_link_libraries(exercise_checking PUBLIC muxlab_backends)
set_target_properties(exercise_checking PROPERTIES UNITY_BUILD OFF)
# They run once: what counts is how fast they compile.
target_compile_options(exercise_checking PUBLIC -O0)

add_custom_target(exercises)
file(GLOB checks CONFIGURE_DEPENDS ${exercises}/*/check.cpp)
foreach(check ${checks})
  cmake_path(GET check PARENT_PATH folder)
  cmake_path(GET folder FILENAME name)
  string(SUBSTRING ${name} 0 2 number)
  add_library(exercise_${number}_check OBJECT EXCLUDE_FROM_ALL ${check})
  set_target_properties(exercise_${number}_check PROPERTIES UNITY_BUILD OFF)
  target_link_libraries(exercise_${number}_check PUBLIC exercise_checking)
  foreach(version starter solution)
    set(program exercise_${number}_${version})
    add_executable(${program} EXCLUDE_FROM_ALL ${folder}/${version}.cpp)
    target_link_libraries(${program} PRIVATE exercise_${number}_check exercise_checking)
    set_target_properties(${program} PROPERTIES UNITY_BUILD OFF
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/exercises)
    add_dependencies(exercises ${program})
  endforeach()
  add_test(NAME exercise_${name}_solution COMMAND exercise_${number}_solution)
  set_tests_properties(exercise_${name}_solution PROPERTIES LABELS whole)
  add_test(NAME exercise_${name}_starter
    COMMAND ${exercises}/starter_fails $<TARGET_FILE:exercise_${number}_starter> ${folder})
  # Where the reader has solved it in place.
  set_tests_properties(exercise_${name}_starter PROPERTIES SKIP_RETURN_CODE 77 LABELS whole)
endforeach()
