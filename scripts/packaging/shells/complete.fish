# Appends to $MUXLAB_FOUND the completions by fish of each line of $MUXLAB_LINES, with $MUXLAB_COMPLETION loaded.
source $MUXLAB_COMPLETION
for line in (string split \n -- $MUXLAB_LINES)
    echo "line $line"
    complete -C $line
end >>$MUXLAB_FOUND
