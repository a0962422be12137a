# A fuzz target is linked with the room of the tested file. Only clang can link it: use the preset fuzz.
add_custom_target(fuzz_targets)
file(GLOB_RECURSE fuzz_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  backends/*_fuzz.cpp server/*_fuzz.cpp bench/*_fuzz.cpp)
foreach(source ${fuzz_sources})
  cmake_path(GET source STEM name)
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
  if(name STREQUAL echo_connection_fuzz)  # it replaces the socket calls, as the counting room does
    target_sources(${name} PRIVATE backends/echo_connection.cpp backends/counting/worker_stats.cpp
      backends/counting/shared_counters.cpp)
    target_link_libraries(${name} PRIVATE fmt::fmt)
  else()
    cmake_path(GET source PARENT_PATH room)
    string(REPLACE "/" "_" room ${room})
    target_link_libraries(${name} PRIVATE muxlab_${room})
  endif()
endforeach()
# These two also analyse their input.
foreach(name plan_fuzz records_fuzz)
  target_link_libraries(${name} PRIVATE muxlab_bench_analysis)
endforeach()

