# Both install, which leaves a list in the build folder.
add_test(NAME install COMMAND scripts/install-check ${CMAKE_BINARY_DIR}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(install PROPERTIES RESOURCE_LOCK install_manifest)
# What the sanitizers make of it is of no use to anybody.
if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
  add_test(NAME package COMMAND scripts/install-check ${CMAKE_BINARY_DIR} --package
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(package PROPERTIES RESOURCE_LOCK install_manifest)
endif()
