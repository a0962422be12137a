# The server's CPU time per echo. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("cpu.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

title = heading("Server CPU per echo")
set title title font font_of(title)
set ylabel "server CPU per echo (µs)"
metric = "server_cpu_ns_per_echo"
unit = 1e3
@scale
plot @curves
