# The backend that the chapter "Write your own backend" adds, by the steps that it names, but in the
# build folder: the registry with its two lines, a program with the backend in it, and every test
# that backends have.
set(own_registry ${CMAKE_BINARY_DIR}/own-backend/registry.cpp)
add_custom_command(OUTPUT ${own_registry}
  COMMAND sed --file=${CMAKE_CURRENT_LIST_DIR}/registry.sed ${CMAKE_SOURCE_DIR}/backends/registry.cpp
          > ${own_registry}
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/registry.sed ${CMAKE_SOURCE_DIR}/backends/registry.cpp VERBATIM)
# Linked first, it takes the place of the registry in the library, which has to be an object alone.
set_source_files_properties(backends/registry.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
add_library(own_backend OBJECT ${own_registry} ${CMAKE_CURRENT_LIST_DIR}/epoll_rearm.cpp)
set_target_properties(own_backend PROPERTIES UNITY_BUILD OFF)

add_executable(own_muxlab)
target_link_libraries(own_muxlab PRIVATE own_backend muxlab_main)
set_target_properties(own_muxlab PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tutorial)

add_executable(own_backend_test server/conformance_test.cpp)
target_link_libraries(own_backend_test PRIVATE own_backend test_main muxlab_server)
add_shards(own_backend own_backend_test 2 FILTER "*/epoll_rearm_on_*")
