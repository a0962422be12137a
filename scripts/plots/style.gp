# Shared part of all pictures: arguments, one look per backend, axes, key and caption.
#
#   gnuplot -c NAME.gp SUMMARY.csv PICTURE AXIS CONDITIONS CAPTION CROWDED
#
# draws one curve per backend along the column AXIS into PICTURE, an SVG. CONDITIONS select rows, such as
# "threads=1 idle=0". AXIS is "backend" for a bar per backend, and "percentile" for latency percentiles. Above CROWDED
# server threads there are more threads than processors; empty: no such area. The same data gives the same bytes.

data = ARG1
picture = ARG2
axis = ARG3
conditions = ARG4
caption = ARG5
crowded_from = ARG6 eq "" ? 0 : ARG6 + 0
is_column = axis ne "percentile"
is_words = axis eq "threading" || axis eq "notify" || axis eq "engine" || axis eq "backend"
is_log_log = axis eq "idle"

set encoding utf8
set datafile separator comma
set datafile columnheaders
set datafile missing NaN

# The colour shows the mechanism of the kernel. The line shows the code above it: solid is hand-written, dashed is
# libevent, dashes and dots are another library or another use of io_uring, dots are a baseline, and long dashes are a
# control of the harness. No two backends have the same line and point, so they differ without colour. All points are
# full, because a hollow point marks a figure that is not the server's own. The colours are those of Okabe and Ito,
# without yellow, which is invisible in a thin line.
known = "select poll epoll-lt epoll-et io-uring-poll io-uring ".\
        "libevent-select libevent-poll libevent-epoll bufferevent libuv asio threads oracle ".\
        "bare-select bare-poll bare-epoll-lt bare-epoll-et ".\
        "io-uring-one-shot io-uring-many-buffers io-uring-told ".\
        "epoll-lt-again epoll-lt-extra-call blind-scan ".\
        "bare-io-uring io-uring-large-receives io-uring-poll-first io-uring-without-more"
vermilion = "#D55E00"; orange = "#E69F00"; blue = "#0072B2"; sky = "#56B4E9"
green = "#009E73"; purple = "#CC79A7"; black = "#000000"; grey = "#767676"
square = 5; circle = 7; upward = 9; downward = 11; diamond = 13; pentagon = 15
set style line  1 lc rgb vermilion lw 2 dt solid      pt square   ps 0.9
set style line  2 lc rgb orange    lw 2 dt solid      pt circle   ps 0.9
set style line  3 lc rgb blue      lw 2 dt solid      pt upward   ps 1.0
set style line  4 lc rgb sky       lw 2 dt solid      pt downward ps 1.0
set style line  5 lc rgb purple    lw 2 dt solid      pt diamond  ps 1.1
set style line  6 lc rgb green     lw 2 dt solid      pt pentagon ps 1.0
set style line  7 lc rgb vermilion lw 2 dt (10,6)     pt square   ps 0.9
set style line  8 lc rgb orange    lw 2 dt (10,6)     pt circle   ps 0.9
set style line  9 lc rgb blue      lw 2 dt (10,6)     pt upward   ps 1.0
set style line 10 lc rgb purple    lw 2 dt (10,6)     pt downward ps 1.0
set style line 11 lc rgb green     lw 2 dt (16,5,3,5) pt diamond  ps 1.1
set style line 12 lc rgb sky       lw 2 dt (16,5,3,5) pt pentagon ps 1.0
set style line 13 lc rgb black     lw 2 dt (3,5)      pt pentagon ps 1.0
set style line 14 lc rgb grey      lw 2 dt (3,5)      pt diamond  ps 1.1
set style line 15 lc rgb vermilion lw 2 dt (3,5)      pt square   ps 0.9
set style line 16 lc rgb orange    lw 2 dt (3,5)      pt circle   ps 0.9
set style line 17 lc rgb blue      lw 2 dt (3,5)      pt upward   ps 1.0
set style line 18 lc rgb sky       lw 2 dt (3,5)      pt downward ps 1.0
set style line 19 lc rgb green     lw 2 dt (16,5,3,5) pt square   ps 0.9
set style line 20 lc rgb green     lw 2 dt (16,5,3,5) pt circle   ps 0.9
set style line 21 lc rgb green     lw 2 dt (16,5,3,5) pt upward   ps 1.0
set style line 22 lc rgb blue      lw 2 dt (20,6)     pt upward   ps 1.0
set style line 23 lc rgb blue      lw 2 dt (20,6)     pt downward ps 1.0
set style line 24 lc rgb grey      lw 2 dt (20,6)     pt square   ps 0.9
set style line 25 lc rgb green     lw 2 dt (20,6)     pt circle   ps 0.9
set style line 26 lc rgb green     lw 2 dt (16,5,3,5) pt downward ps 1.0
set style line 27 lc rgb green     lw 2 dt (20,6)     pt diamond  ps 1.1
set style line 28 lc rgb green     lw 2 dt (20,6)     pt pentagon ps 1.0
set style line 29 lc rgb grey      lw 2 dt (3,5)      pt circle   ps 0.9
shapes = "square circle upward downward diamond pentagon square circle upward downward diamond ".\
         "pentagon pentagon diamond square circle upward downward square circle upward ".\
         "upward downward square circle downward diamond pentagon circle"

style_of(name) = sum [i = 1:words(known)] (word(known, i) eq name ? i : 0)
style_or_other(name) = style_of(name) > 0 ? style_of(name) : words(known) + 1
full_of(name) = value(word(shapes, style_or_other(name)))

# Selects the rows of the picture, their backends and their places on the axis.
condition(i) = word(conditions, i)
column_of(text) = text[1 : strstrt(text, "=") - 1]
value_of(text) = text[strstrt(text, "=") + 1 : *]
is_measured(dummy) = column("rigs") > 0
here(dummy) = is_measured(0) && \
              (sum [i = 1:words(conditions)] (strcol(column_of(condition(i))) eq value_of(condition(i)))) \
              == words(conditions)
fixed_text(name) = (found = "", sum [i = 1:words(conditions)] \
                   (column_of(condition(i)) eq name ? (found = value_of(condition(i)), 1) : 0), found)
fixed(name) = fixed_text(name) eq "" ? 0 : fixed_text(name) + 0
has(list, item) = strstrt(" ".list." ", " ".item." ") > 0
series = ""
places = ""
note(name, place) = (series = has(series, name) ? series : series." ".name, \
                     places = has(places, place) ? places : places." ".place, 1)
set table $unused
set xrange [0:2]
set yrange [0:2]
plot data using (here(0) ? note(strcol("backend"), is_column ? strcol(axis) : "1") : NaN):(1) with points
unset table
set autoscale

number(text) = is_words ? 1 : text + 0
first = number(word(places, 1))
last = first
least = first > 0 ? first : 0
do for [place in places] {
  at = number(place)
  first = at < first ? at : first
  last = at > last ? at : last
  least = at > 0 && (least == 0 || at < least) ? at : least
}
short(place) = int(place + 0) >= 1000 && int(place + 0) % 1000 == 0 \
               ? sprintf("%dk", int(place + 0) / 1000) : sprintf("%d", int(place + 0))

# Words are placed at 1, 2 and so on, numbers on a logarithmic axis.
place_number(text) = sum [i = 1:words(places)] (word(places, i) eq text ? i : 0)
# A logarithmic axis has no 0, so 0 is placed to the left of the smallest number.
spot(place) = place > 0 ? place : (least > 0 ? least / 4.0 : 1)
# Places the backends side by side, so that no error bar hides another.
breadth = axis eq "threads" ? 1.12 : 1.24
count = words(series)
spread(i) = count > 1 ? (i - 1.0) / (count - 1) - 0.5 : 0
x(i) = is_words ? place_number(strcol(axis)) + 0.6 * spread(i) : spot(column(axis)) * breadth ** spread(i)
y(name, metric, unit) = here(0) && strcol("backend") eq name ? column(metric) / unit : NaN

# A hollow point is a rate whose bound was not the server.
is_full(dummy) = metric ne "echoes_per_s" || strcol("bound") eq "server" || strcol("bound") eq "both"
hole_y(name, metric, unit) = is_full(0) ? NaN : y(name, metric, unit)

# No line between words.
joined = is_words ? "points" : "linespoints"

# plot @curves draws `metric` in `unit`: bars from the least rig to the greatest, a line through the medians, and a
# white dot in each hollow point.
curves = 'for [i = 1:words(series)] name = word(series, i) data \
            using (x(i)):(y(name, metric."_median", unit)): \
                  (y(name, metric."_min", unit)):(y(name, metric."_max", unit)) \
            with yerrorbars ls style_or_other(name) dt solid lw 1 pt -1 notitle, \
          for [i = 1:words(series)] name = word(series, i) data \
            using (x(i)):(y(name, metric."_median", unit)) \
            with @joined ls style_or_other(name) title name, \
          for [i = 1:words(series)] name = word(series, i) data \
            using (x(i)):(hole_y(name, metric."_median", unit)) \
            with points pt full_of(name) ps 0.5 lc rgb "#FFFFFF" notitle'

# All pictures of one metric share a scale that covers the whole data file, so that they can be compared. It begins at
# 0, or is logarithmic if a linear scale would hide the small values. The axes are set after `stats`, because `stats`
# ignores values outside them.
along = is_words ? "set xrange [0.5 : words(places) + 0.5]" \
                 : "set logscale x; set xrange [spot(first) / 1.35 : spot(last) * 1.35]"
scale = 'unset logscale; set xrange [*:*]; set yrange [*:*]; \
         stats data using (is_measured(0) ? column(metric."_max") / unit : NaN) name "top" nooutput; \
         stats data using (is_measured(0) ? column(metric."_median") / unit : NaN) name "middle" nooutput; \
         stats data using (is_measured(0) ? column(metric."_min") / unit : NaN) name "bottom" nooutput; \
         '.along.'; \
         if (bottom_min > 0 && (is_log_log || middle_max > 10 * middle_min)) { \
           set logscale y; set yrange [bottom_min / 1.1 : top_max * 1.1]; set ytics (); \
           do for [power = -6:9] { do for [digit in "1 2 5"] { \
             set ytics add (sprintf("%g", digit * 10 ** power) digit * 10 ** power) } } \
         } else { \
           set yrange [0 : top_max * 1.06]; set ytics autofreq \
         }'

axis_name = axis eq "threads" ? "server threads" : axis eq "idle" ? "idle connections" : \
            axis eq "size_bytes" ? "size of a message (bytes)" : \
            axis eq "rate_per_s" ? "messages offered per second" : \
            axis eq "churn" ? "echoes of each connection" : \
            axis eq "threading" ? "threading model" : axis eq "notify" ? "what wakes the thread" : \
            axis eq "engine" ? "how the client waits" : \
            axis eq "depth" ? "messages in flight per connection" : "connections"
set xlabel axis_name
tic_font = words(places) > 5 ? ",11" : ",13"
set xtics () nomirror scale 0.6 font tic_font
do for [place in places] {
  if (is_words) { set xtics add (place place_number(place)) } \
  else { set xtics add (short(place) spot(place + 0)) }
}
unset mxtics
set ytics nomirror scale 0.6
unset mytics
set border 3 lc rgb "#404040"
if (axis eq "threads" && crowded_from > 0 && crowded_from < last) {
  set object 1 rectangle from crowded_from, graph 0 to graph 1, graph 1 \
    behind fillcolor rgb "#F0F0F0" fillstyle solid noborder
  set label 3 "more threads than processors" at graph 0.985, graph 0.975 right font ",11" tc rgb "#505050"
}
set grid ytics lc rgb "#E0E0E0" lw 1 dt solid
longest = 0
do for [name in series] { longest = strlen(name) > longest ? strlen(name) : longest }
key_font = longest > 16 ? "10.5" : "13"
key_spacing = count > 12 ? "1.05" : "1.35"
show_key = 'set key noenhanced font ",'.key_font.'" Left reverse vertical maxrows 30 samplen 3.4 spacing '.key_spacing.' \
            at screen 0.81, screen 0.915 left top'
@show_key

several(number, noun) = sprintf("%s %s%s", short(number), noun, number == 1 ? "" : "s")
subject = axis eq "threads" ? "" : several(fixed("threads"), "server thread")
if (axis ne "connections") {
  subject = subject.(subject eq "" ? "" : ", ").several(fixed("connections"), "connection")
}
if (axis ne "idle" && fixed("idle") > 0) {
  subject = subject." and ".several(fixed("idle"), "idle connection")
}
if (axis ne "size_bytes" && fixed("size_bytes") != 64) {
  subject = subject.", ".short(fixed("size_bytes"))." bytes"
}
if (axis ne "rate_per_s" && fixed("rate_per_s") > 0) {
  subject = subject.", ".short(fixed("rate_per_s"))." messages per second"
}
if (axis ne "churn" && fixed("churn") > 0) {
  subject = subject.sprintf(", %s of each", several(fixed("churn"), "echo"))
}
do for [name in "threading engine notify"] {
  if (fixed_text(name) ne "") { subject = subject.sprintf(", %s %s", name, fixed_text(name)) }
}
is_open_loop = axis eq "rate_per_s" || fixed("rate_per_s") > 0
heading(what) = sprintf("%s against %s, %s", what, \
                        axis eq "size_bytes" ? "message size" : axis_name, subject)
font_of(title) = strlen(title) > 84 ? ",12.5" : strlen(title) > 68 ? ",14" : ",16"
heading_of_all(what) = sprintf("%s, %s", what, subject)
set label 1 caption at screen 0.012, screen 0.098 left noenhanced font ",11" tc rgb "#505050"

set terminal svg size 920, 560 background "#ffffff" font "Helvetica,Arial,sans-serif,13"
if (picture eq "/dev/stdout") { set output } else { set output picture }
set lmargin screen 0.085
set rmargin screen 0.79
set tmargin screen 0.915
set bmargin screen 0.225
