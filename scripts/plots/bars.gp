# Shared part of pictures with one bar per backend. Load it after style.gp, with AXIS "backend". Two panels side by
# side, backends down the left; each panel has its own scale from 0.

row(dummy) = count - place_number(strcol("backend")) + 1
value_at(metric, unit) = here(0) ? column(metric) / unit : NaN
or_none(number) = number == number ? number : 0
ends = 'data using (value_at(metric."_median", unit)):(row(0)): \
                   (value_at(metric."_min", unit)):(value_at(metric."_max", unit)) \
          with xerrorbars lc rgb black lw 1.5 pt -1 notitle, \
        data using (value_at(metric."_median", unit)):(row(0)) \
          with points pt circle ps 0.6 lc rgb black notitle'

set yrange [0.4 : count + 0.6]
set ytics () scale 0
do for [name in series] { set ytics add (name count - place_number(name) + 1) }
set ytics noenhanced
unset grid
set grid xtics lc rgb "#E0E0E0" lw 1 dt solid
unset ylabel
unset logscale
set style fill solid 1.0 border lc rgb "#FFFFFF"
set tmargin screen 0.86

# The position of each panel. Only the first names the backends.
panel_1 = 'set lmargin screen 0.155; set rmargin screen right_of_1'
panel_2 = 'set lmargin screen left_of_2; set rmargin screen right_of_2; unset ytics'
# Sets one scale for all pictures of the data file, so that they can be compared. With `most`, the scale ends at
# `most` times the median of the medians, so that one huge bar does not hide the others. Its number is at the edge.
top_of = 'set xrange [*:*]; set yrange [*:*]; \
          stats data using (is_measured(0) ? column(metric."_median") / unit : NaN) name "top" nooutput; \
          stats data using (is_measured(0) ? column(metric."_max") / unit : NaN) name "end" nooutput; \
          edge = most > 0 && end_max > most * top_median ? most * top_median : end_max * 1.06; \
          set xrange [0 : edge]; set yrange [0.4 : count + 0.6]; \
          set xtics autofreq nomirror scale 0.6'
beyond = 'data using (value_at(metric."_median", unit) > edge ? edge : NaN):(row(0)): \
                     (sprintf("→ %.0f", value_at(metric."_median", unit))) \
            with labels left offset 0.3, 0 font ",11" tc rgb "#404040" notitle'
