# Both tests install, which writes install_manifest.txt in the build folder.
add_test(NAME install COMMAND scripts/install-check ${CMAKE_BINARY_DIR}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(install PROPERTIES RESOURCE_LOCK install_manifest)
# The package is made from the release build only.
if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
  add_test(NAME package COMMAND scripts/install-check ${CMAKE_BINARY_DIR} --package
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(package PROPERTIES RESOURCE_LOCK install_manifest)
endif()
