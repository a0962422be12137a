# Connections per second that open, are served and close. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("connections.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

title = heading("Connections served")
set title title font font_of(title)
set ylabel "connections per second (thousands)"
metric = "connections_per_s"
unit = 1e3
@scale
plot @curves
