# A fuzz target is built from its own file and the tested file. Only clang can link it: use the preset fuzz.
add_custom_target(fuzz_targets)
file(GLOB_RECURSE fuzz_sources CONFIGURE_DEPENDS backends/*_fuzz.cpp server/*_fuzz.cpp bench/*_fuzz.cpp)
foreach(source ${fuzz_sources})
  string(REPLACE "_fuzz.cpp" ".cpp" subject ${source})
  cmake_path(GET source STEM name)
  if(name MATCHES "^(plan|records)_fuzz$")
    set(subject "")  # the library has it
  endif()
  add_executable(${name} EXCLUDE_FROM_ALL ${source} ${subject})
  target_link_libraries(${name} PRIVATE CLI11::CLI11 fmt::fmt)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
endforeach()
target_sources(echo_connection_fuzz PRIVATE backends/counting/worker_stats.cpp backends/counting/shared_counters.cpp)
target_sources(cli_fuzz PRIVATE server/cli/text_layout.cpp)
# These two also analyse their input.
foreach(name plan_fuzz records_fuzz)
  target_link_libraries(${name} PRIVATE muxlab_bench_analysis)
endforeach()

