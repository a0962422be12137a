# Forest plot: a panel per load, a row per backend, with the ratio to the baseline and its interval.
#
#   gnuplot -c ratios.gp DATA PANELS ROWS LOW HIGH MARGIN TITLE CAPTION TITLES
#
# DATA has the columns panel, row (both from 1), name, ratio, low, high and verdict. TITLES are the titles of the
# panels, separated by spaces, with no space in a title. LOW and HIGH are the ends of the axis. MARGIN is the largest
# ratio that counts as the same, such as 1.05. Writes the picture to standard output. Colours show the verdict: blue is
# cheaper, orange more expensive, grey the same or unclear (then hollow), black the baseline.
data = ARG1
panels = ARG2 + 0
rows = ARG3 + 0
low = ARG4 + 0
high = ARG5 + 0
margin = ARG6 + 0

set encoding utf8
set datafile separator comma
set datafile columnheaders
height = 76 + 22 * rows + 76
set terminal svg size 920, height noenhanced background "#ffffff" font "Helvetica,Arial,sans-serif,13"
set output  # to standard output
set multiplot
y(pixels) = 1.0 - pixels / (height + 0.0)
blue = 0x1A66A8; orange = 0xB8480A; grey = 0x707070; black = 0x000000
colour(verdict) = verdict eq "cheaper" ? blue : verdict eq "more_expensive" ? orange : \
                  verdict eq "baseline" ? black : grey
inside(value) = value < low ? low : value > high ? high : value

left = 0.165
width = (0.985 - left) / panels
set tmargin at screen y(68)
set bmargin at screen y(68 + 22 * rows + 10)
set yrange [rows + 0.6 : 0.4]
set logscale x 2
set xrange [low : high]
set border 0
unset key
unset ytics
set xtics nomirror scale 0.4 font ",11" tc rgb "#505050"
set xtics ()
do for [tic in "0.5 0.7 1 1.5 2 3 5 8 15 30"] {
  if (tic + 0 >= low && tic + 0 <= high) { set xtics add (tic tic + 0) }
}
set label 1 ARG7 at screen 0.012, screen y(22) left font ",15"
set label 2 ARG8 at screen 0.012, screen y(height - 34) left font ",11" tc rgb "#505050"
do for [panel = 1:panels] {
  set lmargin at screen left + (panel - 1) * width + 0.008
  set rmargin at screen left + panel * width - 0.008
  set object 1 rectangle from 1 / margin, graph 0 to margin, graph 1 behind \
    fillcolor rgb "#ECECEC" fillstyle solid noborder
  set arrow 1 from 1, graph 0 to 1, graph 1 nohead back lc rgb "#808080" lw 1
  set label 3 word(ARG9, panel) at graph 0.5, screen y(54) center font ",12"
  plot data using (panel == 1 && column("panel") == 1 ? low : NaN):"row":(strcol("name")) \
         with labels right offset -1.2, 0 font ",12" noenhanced, \
       data using (column("panel") == panel ? inside(column("low")) : NaN):"row": \
                  (inside(column("high")) - inside(column("low"))):(0):(colour(strcol("verdict"))) \
         with vectors nohead lw 2.5 lc rgb variable, \
       data using (column("panel") == panel && strcol("verdict") ne "unclear" ? inside(column("ratio")) : NaN): \
                  "row":(colour(strcol("verdict"))) with points pt 7 ps 0.75 lc rgb variable, \
       data using (column("panel") == panel && strcol("verdict") eq "unclear" ? inside(column("ratio")) : NaN): \
                  "row" with points pt 6 ps 0.75 lc rgb "#707070"
  unset label 1
  unset label 2
}
unset multiplot
