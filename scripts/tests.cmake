# Defines the tests: one program per folder, run in parallel shards.
find_package(GTest CONFIG REQUIRED)
enable_testing()
# With ThreadSanitizer, skips tests without threads, and tests that repeat the same threads.
string(REGEX MATCH "-fsanitize=thread" is_about_threads "${CMAKE_CXX_FLAGS}")

add_test(NAME build_stamp COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${CMAKE_SOURCE_DIR}
  -D FOLDER=${CMAKE_BINARY_DIR}/stamp_test -P ${CMAKE_SOURCE_DIR}/scripts/stamp_test.cmake)
# Both install, which writes a list into the build folder.
add_test(NAME install COMMAND scripts/install-check ${CMAKE_BINARY_DIR}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(install PROPERTIES RESOURCE_LOCK install_manifest)
# A package of a sanitized build is of no use.
if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
  add_test(NAME package COMMAND scripts/install-check ${CMAKE_BINARY_DIR} --package
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(package PROPERTIES RESOURCE_LOCK install_manifest LABELS whole)
endif()
if(TARGET muxlab_micro)
  # Tests that each benchmark runs, not its speed. Skips those with a long set-up.
  add_test(NAME micro_benchmarks_run
    COMMAND muxlab_micro --benchmark_min_time=0.001 --benchmark_filter=-registered:9000)
  set_tests_properties(micro_benchmarks_run PROPERTIES LABELS whole)
endif()
include(tutorial/tutorial.cmake)

add_library(test_main OBJECT server/testing/main.cpp)
target_link_libraries(test_main PUBLIC GTest::gmock)
# Tests run once, so compile time matters more than speed.
target_compile_options(test_main PUBLIC -O0)
# add_shards(NAME PROGRAM COUNT ...): runs a test program as COUNT parallel tests, which mostly wait.
function(add_shards name program count)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "FILTER" "PROPERTIES")
  math(EXPR last "${count} - 1")
  foreach(shard RANGE ${last})
    add_test(NAME ${name}.${shard} COMMAND ${program} --gtest_filter=${arg_FILTER})
    set_tests_properties(${name}.${shard} PROPERTIES
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${count};GTEST_SHARD_INDEX=${shard}" ${arg_PROPERTIES})
  endforeach()
endfunction()

# live_suites(LIST): replaces sources by a filter for their live suites, which wait for servers, clients, threads or
# campaigns, or race with them. Tests that only read, draw or report a finished campaign are not live.
function(live_suites list)
  set(found "")
  list(FILTER ${list} EXCLUDE REGEX "bench/(data|analysis|report)/|cli/words_test")
  foreach(source ${${list}})
    file(STRINGS ${source} uses REGEX
      "Server|Process |LocalSides|thread|fork|run_|make_connections|trace|behaviour|live_echo|test::run")
    if(uses)
      file(STRINGS ${source} tests REGEX "^(TYPED_)?TEST(_F|_P)?\\(")
      foreach(test ${tests})
        string(REGEX REPLACE "^[A-Z_]+\\(([A-Za-z0-9_]+).*" "\\1" suite "${test}")
        list(APPEND found "*${suite}.*")
      endforeach()
    endif()
  endforeach()
  list(REMOVE_DUPLICATES found)
  list(JOIN found ":" found)
  set(${list} "${found}" PARENT_SCOPE)
endfunction()

# Collects the names of all backends without the controls.
file(GLOB sources CONFIGURE_DEPENDS backends/*.cpp)
set(backend_names "")
foreach(source ${sources})
  file(STRINGS ${source} lines REGEX "^    \\.name = \"")
  foreach(line ${lines})
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" name "${line}")
    list(APPEND backend_names ${name})
  endforeach()
endforeach()

# Adds the conformance tests of each backend: on one thread, in the quick tier, and on the other models. Sanitizers run
# few cells, all in the quick tier. `ctest -L NAME` runs one backend's.
function(add_backend_tests program)
  foreach(name ${backend_names})
    string(REPLACE "-" "_" cell ${name})
    set(one_thread "*/${cell}_on_single:*/${cell}_on_unix")
    if(is_sanitized)
      set(one_thread "*/${cell}_on_*")
    endif()
    add_test(NAME backend.${name} COMMAND ${program} --gtest_filter=${one_thread})
    set_tests_properties(backend.${name} PROPERTIES LABELS "live;quick;${name}")
    if(NOT is_sanitized)
      add_test(NAME backend.${name}.threads COMMAND ${program} --gtest_filter=*/${cell}_on_*-${one_thread})
      set_tests_properties(backend.${name}.threads PROPERTIES LABELS "live;${name}")
    endif()
  endforeach()
endfunction()

# Adds the tests of a folder. Live suites get the label `live`, the others `quick`. A FILTER that does not begin with
# "-" selects tests, and gives all of them the label `live`.
function(add_folder_test name shards)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "FILTER" "")
  set(filter "-SlowClient.*:IoUringSwitch.*")
  if(arg_FILTER)
    set(filter "${arg_FILTER}")
  endif()
  add_executable(${name}_test ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name}_test PRIVATE test_main muxlab_bench_campaign muxlab_server_trace)
  target_compile_definitions(${name}_test PRIVATE
    MUXLAB_BINARY="$<TARGET_FILE:muxlab>" MUXLAB_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_dependencies(${name}_test muxlab)
  if(filter MATCHES "^[^-]")
    add_shards(${name}.live ${name}_test ${shards} FILTER "${filter}" PROPERTIES LABELS live)
    return()
  endif()
  set(live ${arg_UNPARSED_ARGUMENTS})
  live_suites(live)
  if(live)
    add_shards(${name}.live ${name}_test ${shards} FILTER "${live}${filter}" PROPERTIES LABELS live)
    string(APPEND filter ":${live}")
    math(EXPR shards "(${shards} + 1) / 2")
  endif()
  add_shards(${name} ${name}_test ${shards} FILTER "${filter}" PROPERTIES LABELS quick)
endfunction()
set(shards_of_backends 2)
set(shards_of_server 8)
set(shards_of_bench 8)
foreach(folder backends server bench)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${folder}/*_test.cpp)
  list(FILTER tests EXCLUDE REGEX "/faults/")
  if(is_sanitized)
    list(FILTER tests EXCLUDE REGEX "/completions_test")
  endif()
  set(filter "")
  if(folder STREQUAL server)
    list(TRANSFORM backend_names REPLACE "-" "_" OUTPUT_VARIABLE cells)
    list(TRANSFORM cells REPLACE "(.+)" "*/\\1_on_*")
    list(JOIN cells ":" cells)
    set(filter FILTER "-SlowClient.*:IoUringSwitch.*:${cells}")
  elseif(folder STREQUAL bench AND is_about_threads)
    # Only the load client has threads; the rest uses processes.
    list(FILTER tests INCLUDE REGEX "bench/load/")
  elseif(folder STREQUAL bench AND is_sanitized)
    # A rig runs the same code on every threading model, and a script in every campaign: one of each is enough.
    # One finished campaign, one resumed campaign and one report are also enough. gnuplot draws the pictures.
    set(filter FILTER "-SlowClient.*:IoUringSwitch.*:CampaignScriptTest.*:PicturesTest.*:CompareTest.FindsNothing*")
    string(APPEND filter ":BadDataTest.ADisk*:BadDataTest.Things*:ReportEdgesTest.TheEnv*:CampaignEdgesTest.ASignal*")
    string(APPEND filter ":CampaignEdgesTest.Diagnostics*")
    foreach(name ReportCommandTest.A ReportCommandTest.G ReportCommandTest.S SlicedCampaignTest.A
        SlicedCampaignTest.Connections SlicedCampaignTest.J SlicedCampaignTest.R SlicedCampaignTest.T)
      string(APPEND filter ":${name}*")
    endforeach()
    foreach(model reuseport shared acceptor half_sync)
      string(APPEND filter ":*RealRig*_on_${model}")
    endforeach()
  endif()
  add_folder_test(${folder} ${shards_of_${folder}} ${filter} ${tests})
endforeach()
add_backend_tests(server_test)

# Checks printed JSON against the committed schemas, which are installed with the program.
if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
  add_test(NAME schemas COMMAND ${CMAKE_SOURCE_DIR}/scripts/schema_check $<TARGET_FILE:muxlab>)
endif()

# Checks that committed tables and pictures under results/ follow from their records, byte for byte. One preset is
# enough, because the program draws the same in each.
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize|--coverage")
  add_test(NAME results_are_what_their_records_give COMMAND ${CMAKE_COMMAND} -E env
    MUXLAB=$<TARGET_FILE:muxlab> ${CMAKE_SOURCE_DIR}/scripts/results --check)
endif()

# Checks that muxlab detects a client that is slow on purpose. Runs alone, because it needs idle processors.
add_library(slow_client_shim MODULE bench/load/slow_client_shim.cpp)
target_link_libraries(slow_client_shim PRIVATE ${CMAKE_DL_LIBS})
add_dependencies(bench_test slow_client_shim)
target_compile_definitions(bench_test PRIVATE
  MUXLAB_SLOW_CLIENT_SHIM="$<TARGET_FILE:slow_client_shim>")
add_test(NAME slow_client COMMAND bench_test --gtest_filter=SlowClient.*)
set_tests_properties(slow_client PROPERTIES RUN_SERIAL ON)

# Runs alone, because it changes a setting of the machine for a moment.
add_test(NAME io_uring_switch COMMAND server_test --gtest_filter=IoUringSwitch.*)
set_tests_properties(io_uring_switch PROPERTIES RUN_SERIAL ON LABELS whole)

# Adds the fault suite: a few cells in every test run, all of them with scripts/test --full.
set(MUXLAB_SLOWNESS 1 CACHE STRING "How many times longer than usual the tests may take")
foreach(shim fault_shim allocation_shim)
  add_library(${shim} MODULE server/faults/${shim}.cpp)
endforeach()
target_link_libraries(fault_shim PRIVATE ${CMAKE_DL_LIBS})
file(GLOB sources CONFIGURE_DEPENDS server/faults/*_test.cpp)
add_library(fault_cases OBJECT server/faults/faults.cpp ${sources})
target_link_libraries(fault_cases PUBLIC test_main muxlab_server)
target_compile_definitions(fault_cases PUBLIC MUXLAB_BINARY="$<TARGET_FILE:muxlab>"
  MUXLAB_FAULT_SHIM="$<TARGET_FILE:fault_shim>"
  MUXLAB_ALLOCATION_SHIM="$<TARGET_FILE:allocation_shim>" MUXLAB_SLOWNESS=${MUXLAB_SLOWNESS})
foreach(suite quick whole)
  add_executable(${suite}_faults_test server/faults/${suite}_suite.cpp)
  target_link_libraries(${suite}_faults_test PRIVATE fault_cases test_main)
  add_dependencies(${suite}_faults_test muxlab fault_shim allocation_shim)
endforeach()
set_target_properties(whole_faults_test PROPERTIES EXCLUDE_FROM_ALL ON)  # scripts/test --full builds it
add_shards(faults quick_faults_test 16 FILTER "*" PROPERTIES LABELS live)
# Nine thousand threads are a large part of a machine's limit, so this test runs apart.
set(many_threads "Whole/Faults.A10*/threads*")
add_shards(whole_faults whole_faults_test 64 FILTER "-${many_threads}" PROPERTIES LABELS whole)
add_shards(whole_faults.threads whole_faults_test 1 FILTER "${many_threads}" PROPERTIES LABELS whole)
