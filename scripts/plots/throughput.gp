# Echoes per second; style.gp says how it is called.

folder = ARG0[1 : strlen(ARG0) - strlen("throughput.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

set title heading("Echo throughput") font ",16"
set ylabel "echoes per second (thousands)"
unit = 1e3
plot for [i = 1:words(series)] name = word(series, i) data \
       using (x(i)):(y(name, "echoes_per_s_median", unit)): \
             (y(name, "echoes_per_s_min", unit)):(y(name, "echoes_per_s_max", unit)) \
       with yerrorbars ls style_or_other(name) dt solid lw 1 pt -1 notitle, \
     for [i = 1:words(series)] name = word(series, i) data \
       using (x(i)):(y(name, "echoes_per_s_median", unit)) \
       with linespoints ls style_or_other(name) title name
