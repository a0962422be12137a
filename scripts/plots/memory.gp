# Memory of the server and of the kernel per connection. Usage: see style.gp.

folder = ARG0[1 : strlen(ARG0) - strlen("memory.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6
load folder."bars.gp"

right_of_1 = 0.555
left_of_2 = 0.585
right_of_2 = 0.985
most = 0
unit = 1024.0
set tmargin screen 0.905
set multiplot
title = heading_of_all("Memory per connection")
set label 2 title at screen 0.5, 0.955 center font font_of(title)
unset key
do for [panel = 1:2] {
  metric = panel == 1 ? "server_bytes_per_connection" : "kernel_bytes_per_connection"
  colour = panel == 1 ? "#0072B2" : "#8FBBDA"
  set xlabel panel == 1 ? "the server's memory (KiB)" : "the kernel's own memory, of both ends (KiB)"
  if (panel == 1) { @panel_1 } else { @panel_2 }
  @top_of
  plot data using (0):(row(0)):(0):(value_at(metric."_median", unit)):(row(0) - 0.36):(row(0) + 0.36) \
         with boxxyerror lc rgb colour notitle, \
       @ends
  unset label
}
unset multiplot
