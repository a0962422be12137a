# Latency, the median and the 99th percentile side by side; style.gp says how it is called.

folder = ARG0[1 : strlen(ARG0) - strlen("latency.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

set multiplot
set ylabel offset 1, 0
set label 2 heading("Echo latency (closed loop)") at screen 0.43, 0.955 center font ",16"
unit = 1e6
do for [panel = 1:2] {
  metric = panel == 1 ? "latency_ns_p50" : "latency_ns_p99"
  set ylabel panel == 1 ? "median latency, p50 (ms)" : "99th percentile of latency, p99 (ms)"
  set lmargin screen panel == 1 ? 0.085 : 0.485
  set rmargin screen panel == 1 ? 0.395 : 0.795
  if (panel == 1) { unset key } else { @show_key }
  plot for [i = 1:words(series)] name = word(series, i) data \
         using (x(i)):(y(name, metric."_median", unit)): \
               (y(name, metric."_min", unit)):(y(name, metric."_max", unit)) \
         with yerrorbars ls style_or_other(name) dt solid lw 1 pt -1 notitle, \
       for [i = 1:words(series)] name = word(series, i) data \
         using (x(i)):(y(name, metric."_median", unit)) \
         with linespoints ls style_or_other(name) title name
  unset label
}
unset multiplot
set ylabel offset 1, 0
