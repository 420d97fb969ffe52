# Draws the plots of the benchmark; called by bench/plot, which sets data, out and wine.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set terminal svg size 760,440 dynamic font "sans-serif,14" background "#ffffff"
set border 3
set tics nomirror
set grid back lc rgb "#dddddd"
set key left top reverse Left
set format y "%g"

# stock, shim, floor, and a fourth
set style line 1 lc rgb "#c44e52" lw 2 pt 7 ps 0.7
set style line 2 lc rgb "#2a6fb0" lw 2 pt 5 ps 0.7
set style line 3 lc rgb "#55a868" lw 2 pt 9 ps 0.9 dt 2
set style line 4 lc rgb "#888888" lw 2 dt 3

stock = "stock " . wine
shim  = "writewatch"
floor_ = "floor (kernel alone)"

set output out . "/poll-size.svg"
set title "Poll with reset, all pages present, none written since the last"
set xlabel "size of the region"
set ylabel "time of a poll (µs)"
set logscale x 2
set logscale y 10
set xtics ("64 KiB" 65536, "1 MiB" 2.0**20, "16 MiB" 2.0**24, "256 MiB" 2.0**28, \
           "1 GiB" 2.0**30, "4 GiB" 2.0**32)
set xrange [2.0**15.5:2.0**32.5]
plot data . "/size" using 1:2 with linespoints ls 1 title stock, \
     data . "/size" using 1:3 with linespoints ls 2 title shim, \
     data . "/size" using 1:4 with linespoints ls 3 title floor_

set output out . "/poll-written.svg"
set title "Poll with reset of 256 MiB, scattered pages written"
set xlabel "pages written since the last poll (%)"
set logscale x 10
set xtics ("0.1" 0.1, "1" 1, "10" 10, "100" 100)
set xrange [0.07:140]
plot data . "/written" using 1:2 with linespoints ls 1 title stock, \
     data . "/written" using 1:3 with linespoints ls 2 title shim, \
     data . "/written" using 1:4 with linespoints ls 3 title floor_

set output out . "/page-tables.svg"
set title "Page tables of reserved memory, one page of it in use"
set xlabel "size of the reservation"
set ylabel "page tables (KiB; none is drawn as 1)"
set logscale x 2
set xtics ("1 GiB" 1, "4 GiB" 4, "16 GiB" 16, "64 GiB" 64)
set xrange [0.8:80]
set yrange [0.7:9e5]
show_(x) = x < 1 ? 1 : x
plot 2048 * x with lines ls 4 title "calculated: an entry for every page", \
     data . "/tables" using 1:(show_($2)) with linespoints ls 1 title stock, \
     data . "/tables" using 1:(show_($3)) with linespoints ls 2 title shim, \
     data . "/tables" using 1:(show_($4)) with linespoints ls 3 title floor_

set output out . "/write-cost.svg"
set title "A write to a page that was not written since the last reset"
set xlabel ""
set ylabel "time of a write (ns)"
unset logscale
unset xtics
set xtics nomirror scale 0
set xrange [-0.6:3.6]
set yrange [0:*]
set grid noxtics ytics
set key outside top center horizontal maxcols 3 width 2
set bmargin 4
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.85 border -1
set boxwidth 0.9
plot data . "/writes" using 2:xtic(1) lc rgb "#c44e52" title stock, \
     data . "/writes" using 3 lc rgb "#2a6fb0" title shim, \
     data . "/writes" using 4 lc rgb "#55a868" title floor_
