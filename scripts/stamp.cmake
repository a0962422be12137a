# Writes OUTPUT from TEMPLATE: which commit SOURCE_DIR is at, of which VERSION, and how it is compiled
# (TYPE, FLAGS).
# Run with every build; the file changes only when what it says does, so nothing is compiled in vain.
set(COMMIT unknown)
set(DATE "")
find_package(Git QUIET)
if(GIT_FOUND)
  set(git ${GIT_EXECUTABLE} --no-optional-locks -C ${SOURCE_DIR})
  # A copy without its own repository may lie inside somebody else's: that one's commit is not ours.
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
