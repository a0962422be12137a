# Echoes per second. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("throughput.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

title = heading("Echo throughput")
set title title font font_of(title)
set ylabel "echoes per second (thousands)"
metric = "echoes_per_s"
unit = 1e3
@scale
plot @curves
