# The .zshrc of a zsh that appends to $MUXLAB_FOUND what it completes each of $MUXLAB_LINES with, by
# $MUXLAB_COMPLETION, and ends. Only its line editor completes, so it needs a terminal.
autoload -U compinit
compinit -D -u
source $MUXLAB_COMPLETION
compadd() {
  local -a found
  # With one of these somebody only asks.
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    builtin compadd -A found "$@"
    print -rl -- $found >>$MUXLAB_FOUND
  fi
  builtin compadd "$@"
}
zle-line-init() {
  local line
  for line in ${(f)MUXLAB_LINES}; do
    print -r -- "line $line" >>$MUXLAB_FOUND
    BUFFER=$line
    CURSOR=$#BUFFER
    zle list-choices
  done
  exit
}
zle -N zle-line-init
