# Appends to $MUXLAB_FOUND what bash completes each of $MUXLAB_LINES with, by $MUXLAB_COMPLETION.
source "$MUXLAB_COMPLETION"
while IFS= read -r line; do
  echo "line $line"
  read -ra COMP_WORDS <<<"${line//=/ = }"
  [[ $line != *' ' ]] || COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _muxlab
  printf '%s\n' "${COMPREPLY[@]}"
done <<<"$MUXLAB_LINES" >>"$MUXLAB_FOUND"
