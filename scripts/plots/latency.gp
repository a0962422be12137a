# Latency, the median and the 99th percentile side by side. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("latency.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

what = "Echo latency (".(is_open_loop ? "open" : "closed")." loop)"
median_metric = "latency_ns_p50"
high_metric = "latency_ns_p99"
median_label = "median latency, p50 (ms)"
high_label = "99th percentile of latency, p99 (ms)"
load folder."two_panels.gp"
