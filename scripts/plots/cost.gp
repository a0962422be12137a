# The parts of the server's CPU time per echo, and next to it the system calls per echo. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("cost.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6
load folder."bars.gp"

# From dark to light, so that they differ without colour too.
parts = "wait read write ctl rest clock"
part_names = "waiting reading writing control rest clocks"
array shades[6] = ["#1B3A57", "#0072B2", "#56A0D3", "#D55E00", "#C9C9C9", "#EDEDED"]
part(k) = or_none(value_at("cpu_".word(parts, k)."_ns_per_echo_median", unit))
up_to(k) = k == 0 ? 0 : (sum [j = 1:k] part(j))

# The floor: the time of the oracle's receives and sends.
unit = 1e3
floor = 0
set xrange [0:2]
set table $unused
plot data using (here(0) && strcol("backend") eq "oracle" ? (floor = part(2) + part(3), 1) : 1):(1) with points
unset table

right_of_1 = 0.625
left_of_2 = 0.70
right_of_2 = 0.94
most = 4
set multiplot
title = heading_of_all("What the CPU time of an echo goes into")
set label 2 title at screen 0.5, 0.965 center font font_of(title)
metric = "server_cpu_ns_per_echo"
set xlabel "server CPU per echo (µs)"
@panel_1
@top_of
set key noenhanced horizontal Left reverse samplen 1.2 maxcols 7 width 1 font ",11.5" at screen 0.15, screen 0.945 left top
if (floor > 0) {
  set arrow 1 from floor, graph 0 to floor, graph 1 nohead lc rgb "#404040" lw 1.5 dt (4,3) front
}
plot for [k = 1:6] data using (0):(row(0)):(up_to(k - 1)):(up_to(k)):(row(0) - 0.38):(row(0) + 0.38) \
       with boxxyerror lc rgb shades[k] title word(part_names, k), \
     (floor > 0 ? NaN : NaN) with lines lc rgb "#404040" lw 1.5 dt (4,3) title (floor > 0 ? "floor" : ""), \
     @ends, \
     @beyond
unset label
unset arrow
unset key
metric = "syscalls_per_echo"
unit = 1
set xlabel "system calls per echo"
@panel_2
@top_of
set key noenhanced Left reverse samplen 1.2 horizontal font ",11.5" at screen left_of_2, screen 0.945 left top
plot data using (0):(row(0)):(0):(value_at(metric."_median", unit)):(row(0) - 0.2):(row(0) + 0.2) \
       with boxxyerror lc rgb "#9A9A9A" title "counted", \
     data using (value_at("syscalls_predicted_per_echo_median", unit)):(row(0)) \
       with points pt 2 ps 1.1 lw 2 lc rgb "#D55E00" title "predicted", \
     @ends, \
     @beyond
unset multiplot
