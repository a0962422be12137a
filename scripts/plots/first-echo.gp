# Time from connect(2) to the first echo, the median and the 99th percentile side by side. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("first-echo.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

what = "Time from connect to the first echo"
median_metric = "first_echo_ns_p50"
high_metric = "first_echo_ns_p99"
median_label = "median, p50 (ms)"
high_label = "99th percentile, p99 (ms)"
load folder."two_panels.gp"
