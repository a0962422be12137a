# Appends to $MUXLAB_FOUND the completions by bash of each line of $MUXLAB_LINES, with $MUXLAB_COMPLETION loaded.
source "$MUXLAB_COMPLETION"
while IFS= read -r line; do
  echo "line $line"
  read -ra COMP_WORDS <<<"${line//=/ = }"
  [[ $line != *' ' ]] || COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _muxlab
  printf '%s\n' "${COMPREPLY[@]}"
done <<<"$MUXLAB_LINES" >>"$MUXLAB_FOUND"
