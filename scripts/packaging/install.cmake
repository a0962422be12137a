# Lists the installed files, of cmake --install and of the Debian package that cpack makes.
include(GNUInstallDirs)

# Manual pages and completions are generated from the program, so they match its options.
find_program(HELP2MAN help2man)
if(NOT HELP2MAN)
  message(STATUS "No help2man: no manual pages")
endif()
set(shared ${CMAKE_BINARY_DIR}/share)
add_custom_command(OUTPUT ${shared}/done
  COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:muxlab> -D OUTPUT=${shared}
    -D HELP2MAN=${HELP2MAN} -D SOURCE_DIR=${CMAKE_SOURCE_DIR} -D VERSION=${PROJECT_VERSION}
    -D "MAINTAINER=${MUXLAB_MAINTAINER}" -P ${CMAKE_CURRENT_LIST_DIR}/generate.cmake
  DEPENDS muxlab ${CMAKE_CURRENT_LIST_DIR}/generate.cmake ${CMAKE_SOURCE_DIR}/LICENSE VERBATIM)
add_custom_target(shared_files ALL DEPENDS ${shared}/done)

install(TARGETS muxlab)
install(DIRECTORY ${shared}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${shared}/muxlab.bash RENAME muxlab
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${shared}/muxlab.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# zsh's folders: Debian has one for packages and another for local installations.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX MATCHES \"/usr$\")
    set(folder vendor-completions)
  endif()
  file(INSTALL \"${shared}/_muxlab\"
    DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\")")
install(DIRECTORY scripts/plots DESTINATION ${CMAKE_INSTALL_DATADIR}/muxlab)
file(GLOB schemas CONFIGURE_DEPENDS server/*/*.schema.json bench/*/*.schema.json)
install(FILES ${schemas} DESTINATION ${CMAKE_INSTALL_DATADIR}/muxlab/schemas)
install(FILES README.md ARCHITECTURE.md CONTRIBUTING.md ${shared}/copyright ${shared}/changelog.gz
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY results DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
  GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_CONTACT "${MUXLAB_MAINTAINER}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "comparison of the ways of waiting for I/O")
set(CPACK_PACKAGE_DESCRIPTION
"One echo server on select, poll, epoll, io_uring, libevent, libuv, Asio and
blocking threads, one load client, and a harness that measures them against
each other over thousands of real connections. It shows which of them work
on this machine, and the cost of each: system calls and CPU time per echo.
Plots are drawn with gnuplot.")
include(CPack)
