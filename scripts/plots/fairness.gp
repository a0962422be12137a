# Jain's index of the echoes of each connection: 1 if all had the same number. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("fairness.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

title = heading("Fairness")
set title title font font_of(title)
set ylabel "Jain's index of echoes per connection (1: all alike)"
metric = "fairness"
unit = 1
@scale
set yrange [0:1.06]
set ytics 0.2
plot @curves
