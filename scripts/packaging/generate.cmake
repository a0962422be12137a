# Writes the generated files of an installation to OUTPUT: manual pages and completions from PROGRAM, and the copyright
# file and the changelog of the Debian package from SOURCE_DIR.
set(ENV{LC_ALL} C)
file(REMOVE_RECURSE ${OUTPUT})
file(MAKE_DIRECTORY ${OUTPUT}/man1)
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# help2man(1) makes a manual page from the help text of a program, so each verb gets a temporary program.
if(HELP2MAN)
  execute_process(COMMAND git -C ${SOURCE_DIR} log -1 "--format=%ct" OUTPUT_VARIABLE commit_time
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(commit_time)
    set(ENV{SOURCE_DATE_EPOCH} ${commit_time})
  endif()
  execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "\n  [a-z]+  +[A-Z]" verbs "${help}")
  list(TRANSFORM verbs REPLACE "\n  ([a-z]+) .*" "\\1")
  foreach(verb "" ${verbs})
    set(page muxlab)
    if(verb)
      string(APPEND page -${verb})
    endif()
    set(program ${OUTPUT}/programs/${page})
    file(WRITE ${program} "#!/bin/sh\nexec \"${PROGRAM}\" ${verb} \"$@\"\n")
    file(CHMOD ${program} PERMISSIONS OWNER_READ OWNER_EXECUTE)
    execute_process(COMMAND ${program} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX REPLACE "\n.*" "" name "${help}")
    execute_process(COMMAND ${HELP2MAN} --no-info "--name=${name}" --version-string=${VERSION}
      "--source=muxlab ${VERSION}" --output=${OUTPUT}/man1/${page}.1 ${program} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endif()
run(${PROGRAM} completions bash OUTPUT_FILE ${OUTPUT}/muxlab.bash)
run(${PROGRAM} completions zsh OUTPUT_FILE ${OUTPUT}/_muxlab)
run(${PROGRAM} completions fish OUTPUT_FILE ${OUTPUT}/muxlab.fish)

# A Debian copyright file indents the text of the licence and replaces empty lines by dots.
file(STRINGS ${SOURCE_DIR}/LICENSE lines)
set(text "")
foreach(line IN LISTS lines)
  if(line MATCHES "^Copyright .c. (.*)")
    set(holder ${CMAKE_MATCH_1})
  endif()
  if(line STREQUAL "")
    set(line .)
  endif()
  string(APPEND text " ${line}\n")
endforeach()
file(WRITE ${OUTPUT}/copyright
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: muxlab

Files: *
Copyright: ${holder}
License: Expat
${text}")

# The only entry is the commit. The history of the repository has the changes.
execute_process(COMMAND git -C ${SOURCE_DIR} log -1 "--format=%cD" OUTPUT_VARIABLE date
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
endif()
execute_process(COMMAND ${PROGRAM} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ", " "\n    " version "${version}")
file(WRITE ${OUTPUT}/changelog
"muxlab (${VERSION}) unstable; urgency=medium

  * ${version}.

 -- ${MAINTAINER}  ${date}
")
file(GLOB pages ${OUTPUT}/man1/*.1)
run(gzip -9 --no-name ${pages} ${OUTPUT}/changelog)
file(TOUCH ${OUTPUT}/done)
