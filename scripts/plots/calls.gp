# Counted system calls per echo. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("calls.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

title = heading("System calls per echo")
set title title font font_of(title)
set ylabel "system calls per echo"
metric = "syscalls_per_echo"
unit = 1
@scale
plot @curves
