# What all pictures share: how they are called, one look per backend, axes, key and caption.
#
#   gnuplot -c NAME.gp SUMMARY.csv PICTURE.svg connections|threads FIXED IDLE CAPTION
#
# draws one curve per backend along the named axis, for the trials with FIXED of the other one and
# IDLE silent connections. The same data gives the same bytes.

data = ARG1
picture = ARG2
axis = ARG3
fixed = ARG4 + 0
idle = ARG5 + 0
caption = ARG6
other = axis eq "connections" ? "threads" : "connections"

set encoding utf8
set datafile separator comma
set datafile columnheaders
set datafile missing NaN

# Colour says which mechanism of the kernel is at work, a full line that the code is written by hand,
# dashes that a library stands between, dots that it is a control. Each backend has its own point.
# The colours are those of Okabe and Ito, without the yellow, which a thin line cannot show.
known = "select poll epoll-lt epoll-et io-uring-poll io-uring ".\
        "libevent-select libevent-poll libevent-epoll bufferevent libuv asio threads oracle ".\
        "bare-select bare-poll bare-epoll-lt bare-epoll-et"
vermilion = "#D55E00"; orange = "#E69F00"; blue = "#0072B2"; sky = "#56B4E9"
green = "#009E73"; purple = "#CC79A7"; black = "#000000"; grey = "#767676"
set style line  1 lc rgb vermilion lw 2 dt solid    pt 5  ps 0.9
set style line  2 lc rgb orange    lw 2 dt solid    pt 7  ps 0.9
set style line  3 lc rgb blue      lw 2 dt solid    pt 9  ps 1.0
set style line  4 lc rgb sky       lw 2 dt solid    pt 11 ps 1.0
set style line  5 lc rgb purple    lw 2 dt solid    pt 13 ps 1.1
set style line  6 lc rgb green     lw 2 dt solid    pt 15 ps 1.0
set style line  7 lc rgb vermilion lw 2 dt (10,6)   pt 4  ps 0.9
set style line  8 lc rgb orange    lw 2 dt (10,6)   pt 6  ps 0.9
set style line  9 lc rgb blue      lw 2 dt (10,6)   pt 8  ps 1.0
set style line 10 lc rgb purple    lw 2 dt (10,6)   pt 10 ps 1.0
set style line 11 lc rgb green     lw 2 dt (16,5,3,5) pt 14 ps 1.0
set style line 12 lc rgb sky       lw 2 dt (16,5,3,5) pt 12 ps 1.1
set style line 13 lc rgb black     lw 2 dt solid    pt 3  ps 0.9
set style line 14 lc rgb grey      lw 2 dt (3,5)    pt 2  ps 0.9
set style line 15 lc rgb vermilion lw 2 dt (3,5)    pt 1  ps 0.9
set style line 16 lc rgb orange    lw 2 dt (3,5)    pt 1  ps 0.9
set style line 17 lc rgb blue      lw 2 dt (3,5)    pt 1  ps 0.9
set style line 18 lc rgb sky       lw 2 dt (3,5)    pt 2  ps 0.9
set style line 19 lc rgb grey      lw 2 dt (3,5)    pt 1  ps 0.9

style_of(name) = sum [i = 1:words(known)] (word(known, i) eq name ? i : 0)
style_or_other(name) = style_of(name) > 0 ? style_of(name) : 19

# The slice: which backends it has, and where along the axis.
here(dummy) = column(other) == fixed && column("idle") == idle && \
              column("trials") + column("untrusted") > 0
has(list, item) = strstrt(" ".list." ", " ".item." ") > 0
series = ""
places = ""
note(name, place) = (series = has(series, name) ? series : series." ".name, \
                     places = has(places, place) ? places : places." ".place, 1)
set table $unused
set xrange [0:2]
set yrange [0:2]
plot data using (here(0) ? note(strcol("backend"), strcol(axis)) : NaN):(1) with points
unset table

first = word(places, 1) + 0
last = first
do for [place in places] {
  first = (place + 0) < first ? (place + 0) : first
  last = (place + 0) > last ? (place + 0) : last
}
short(place) = int(place + 0) % 1000 == 0 ? sprintf("%dk", int(place + 0) / 1000) \
                                         : sprintf("%d", int(place + 0))

# Along a logarithmic axis the backends stand side by side, so that no error bar hides another.
breadth = axis eq "connections" ? 1.24 : 1.12
count = words(series)
x(i) = column(axis) * (count > 1 ? breadth ** ((i - 1.0) / (count - 1) - 0.5) : 1)
y(name, metric, unit) = here(0) && strcol("backend") eq name ? column(metric) / unit : NaN

set xlabel axis eq "connections" ? "connections" : "server threads"
set logscale x
set xrange [first / 1.35 : last * 1.35]
set xtics () nomirror scale 0.6
do for [place in places] { set xtics add (short(place) (place + 0)) }
unset mxtics
set yrange [0:*]
set offsets 0, 0, graph 0.06, 0
set ytics nomirror scale 0.6
set border 3 lc rgb "#404040"
set grid ytics lc rgb "#E0E0E0" lw 1 dt solid
key_spacing = count > 12 ? "1.05" : "1.35"
show_key = 'set key noenhanced Left reverse vertical maxrows 30 samplen 3.4 spacing '.key_spacing.' \
            at screen 0.81, screen 0.915 left top'
@show_key

subject = sprintf("%s %s%s", short(fixed), other eq "threads" ? "server thread" : "connection", \
                  fixed == 1 ? "" : "s")
if (idle > 0) { subject = subject.sprintf(" and %s idle connections", short(idle)) }
heading(what) = sprintf("%s against %s, %s", what, \
                        axis eq "connections" ? "connections" : "server threads", subject)
set label 1 caption at screen 0.012, screen 0.098 left noenhanced font ",11" tc rgb "#505050"

set terminal svg size 920, 560 background "#ffffff" font "Helvetica,Arial,sans-serif,13"
set output picture
set lmargin screen 0.085
set rmargin screen 0.79
set tmargin screen 0.915
set bmargin screen 0.225
