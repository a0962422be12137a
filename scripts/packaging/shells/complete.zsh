# A .zshrc. Appends to $MUXLAB_FOUND the completions by zsh of each line of $MUXLAB_LINES, with $MUXLAB_COMPLETION
# loaded, and exits. Only the line editor of zsh completes, so it needs a terminal.
autoload -U compinit
compinit -D -u
source $MUXLAB_COMPLETION
compadd() {
  local -a found
  # With -O, -A or -D the caller only queries matches and adds none.
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
