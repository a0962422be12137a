# Draws a median and a high percentile side by side, in milliseconds. Load it after style.gp, and set `what`,
# `median_metric`, `high_metric` (nanoseconds) and their labels first.

set multiplot
set ylabel offset 1.3, 0  # clear of the edge, with numbers of five digits
title = heading(what)
set label 2 title at screen 0.44, 0.955 center font font_of(title)
unit = 1e6
if (words(places) > 5) { set xtics font ",9.5" }
do for [panel = 1:2] {
  metric = panel == 1 ? median_metric : high_metric
  label = panel == 1 ? median_label : high_label
  set ylabel label
  set lmargin screen panel == 1 ? 0.085 : 0.485
  set rmargin screen panel == 1 ? 0.395 : 0.795
  if (panel == 1) { unset key } else { @show_key }
  @scale
  plot @curves
  unset label
}
unset multiplot
