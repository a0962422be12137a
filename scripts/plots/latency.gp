# Latency, the median and the 99th percentile side by side; style.gp says how it is called.

folder = ARG0[1 : strlen(ARG0) - strlen("latency.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

set multiplot
set ylabel offset 0.3, 0
set label 2 heading("Echo latency (".(is_open_loop ? "open" : "closed")." loop)") at screen 0.43, 0.955 center font ",16"
unit = 1e6
do for [panel = 1:2] {
  metric = panel == 1 ? "latency_ns_p50" : "latency_ns_p99"
  what = panel == 1 ? "median latency, p50 (ms)" : "99th percentile of latency, p99 (ms)"
  if (is_text) { set title what } else { set ylabel what }  # a text has no room beside the axis
  set lmargin screen panel == 1 ? 0.085 : 0.485
  set rmargin screen panel == 1 ? 0.395 : (is_text ? 0.76 : 0.795)
  if (panel == 1) { unset key } else { @show_key }
  @scale
  plot @curves
  unset label
}
unset multiplot
