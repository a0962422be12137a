# The server's processor time per echo; style.gp says how it is called.

folder = ARG0[1 : strlen(ARG0) - strlen("cpu.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

set title heading("Server CPU per echo") font ",16"
set ylabel "server CPU per echo (µs)"
unit = 1e3
plot for [i = 1:words(series)] name = word(series, i) data \
       using (x(i)):(y(name, "server_cpu_ns_per_echo_median", unit)): \
             (y(name, "server_cpu_ns_per_echo_min", unit)): \
             (y(name, "server_cpu_ns_per_echo_max", unit)) \
       with yerrorbars ls style_or_other(name) dt solid lw 1 pt -1 notitle, \
     for [i = 1:words(series)] name = word(series, i) data \
       using (x(i)):(y(name, "server_cpu_ns_per_echo_median", unit)) \
       with linespoints ls style_or_other(name) title name
