# Appends to $MUXLAB_FOUND what fish completes each of $MUXLAB_LINES with, by $MUXLAB_COMPLETION.
source $MUXLAB_COMPLETION
for line in (string split \n -- $MUXLAB_LINES)
    echo "line $line"
    complete -C $line
end >>$MUXLAB_FOUND
