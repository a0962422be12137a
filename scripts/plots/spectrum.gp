# The percentiles of the latency, at one load. Usage: see style.gp. The axis is logarithmic in the share of messages
# above a percentile, so each further nine takes the same room.

folder = ARG0[1 : strlen(ARG0) - strlen("spectrum.gp")]
call folder."style.gp" ARG1 ARG2 ARG3 ARG4 ARG5 ARG6

percentiles = "25 50 75 90 95 99 99.9 99.99"
columns = "p25 p50 p75 p90 p95 p99 p99_9 p99_99"
unit = 1e6
of(k, part) = column("latency_ns_".word(columns, k).part) / unit
place(k) = 1 / (1 - word(percentiles, k) / 100.0)

# The data file has a column per percentile, but a curve needs a row.
rows = ""
add(name) = sum [k = 1:words(columns)] (rows = rows.sprintf( \
            "%s,%g,%g,%g,%g\n", name, place(k), of(k, "_median"), of(k, "_min"), of(k, "_max")), 1)
set table $unused
plot data using (here(0) ? add(strcol("backend")) : NaN):(1) with points
unset table
set print $spectrum
print "backend,place,median,min,max\n".rows
set print

at(name) = strcol("backend") eq name ? column("place") * 1.16 ** spread(place_in_series(name)) : NaN
place_in_series(name) = sum [i = 1:words(series)] (word(series, i) eq name ? i : 0)
title = heading_of_all("Spectrum of the latency")
set title title font font_of(title)
set xlabel "percentile of the messages"
set ylabel "latency (ms)"
set logscale xy
set xrange [place(1) / 1.25 : place(words(columns)) * 1.35]
set xtics ()
do for [k = 1:words(columns)] { set xtics add (word(percentiles, k) place(k)) }
set xrange [*:*]
set yrange [*:*]
stats data using (is_measured(0) ? column("latency_ns_p99_99_max") / unit : NaN) name "top" nooutput
stats data using (is_measured(0) ? column("latency_ns_p25_min") / unit : NaN) name "bottom" nooutput
set xrange [place(1) / 1.25 : place(words(columns)) * 1.35]
set yrange [bottom_min / 1.1 : top_max * 1.1]
set ytics ()
do for [power = -6:5] {
  do for [digit in "1 2 5"] { set ytics add (sprintf("%g", digit * 10 ** power) digit * 10 ** power) }
}
plot for [name in series] $spectrum using (at(name)):(column("median")):(column("min")):(column("max")) \
       with yerrorbars ls style_or_other(name) dt solid lw 1 pt -1 notitle, \
     for [name in series] $spectrum using (at(name)):(column("median")) \
       with linespoints ls style_or_other(name) title name
