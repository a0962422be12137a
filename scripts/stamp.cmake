# Writes OUTPUT from TEMPLATE: the commit of SOURCE_DIR, VERSION, and how it is compiled (TYPE, FLAGS).
# Runs with every build. Rewrites the file only if its content changes, so nothing is compiled again without need.
set(COMMIT unknown)
set(DATE "")
find_package(Git QUIET)
if(GIT_FOUND)
  set(git ${GIT_EXECUTABLE} --no-optional-locks -C ${SOURCE_DIR})
  # A copy without a repository may lie inside another repository, whose commit is not ours.
  execute_process(COMMAND ${git} rev-parse --show-prefix
    RESULT_VARIABLE failed OUTPUT_VARIABLE prefix ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed AND prefix STREQUAL "")
    execute_process(COMMAND ${git} describe --always --dirty --abbrev=40 --exclude=*
      RESULT_VARIABLE failed OUTPUT_VARIABLE found ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT failed)
      set(COMMIT ${found})
      execute_process(COMMAND ${git} log -1 --format=%cs
        OUTPUT_VARIABLE DATE OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    endif()
  endif()
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
