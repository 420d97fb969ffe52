# Draws the plots of the benchmark; called by bench/plot, which sets data, out, wine, machine
# and hangs.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set terminal svg size 760,440 dynamic font "sans-serif,14" background "#ffffff"
set border 3
set tics nomirror
set grid back lc rgb "#dddddd"
set key left top reverse Left
set format y "%g"

# stock, shim, floor
set style line 1 lc rgb "#c44e52" lw 2 pt 7 ps 0.7
set style line 2 lc rgb "#2a6fb0" lw 2 pt 5 ps 0.7
set style line 3 lc rgb "#55a868" lw 2 pt 9 ps 0.9 dt 2

stock = "stock " . wine
shim  = "writewatch"
floor_ = "floor (kernel alone)"

set output out . "/poll-size.svg"
set title "Poll with reset, all pages present, none written since the last\n{/*0.7 " . machine . "}"
set xlabel "size of the region"
set ylabel "time of a poll (µs)"
set logscale x 2
set logscale y 10
set xtics ("64 KiB" 65536, "1 MiB" 2.0**20, "16 MiB" 2.0**24, "256 MiB" 2.0**28, \
           "1 GiB" 2.0**30, "4 GiB" 2.0**32)
set xrange [2.0**15.5:2.0**32.5]
plot data . "/size" using 1:2:3:4 with yerrorlines ls 1 title stock, \
     data . "/size" using 1:5:6:7 with yerrorlines ls 2 title shim, \
     data . "/size" using 1:8:9:10 with yerrorlines ls 3 title floor_

set output out . "/poll-written.svg"
set title "Poll with reset of 256 MiB, scattered pages written\n{/*0.7 " . machine . "}"
set xlabel "pages written since the last poll (%)"
set logscale x 10
set xtics ("0.1" 0.1, "1" 1, "10" 10, "50" 50, "100" 100)
set xrange [0.07:140]
set label 1 stock . " does not finish in " . hangs . " s" at 40, hangs * 1e6 right offset 0,0.2
# 50 %: every other page, where stock Wine comes to the limit of mappings
plot data . "/written" using 1:2:3:4 with yerrorlines ls 1 title stock, \
     data . "/written" using 1:5:6:7 with yerrorlines ls 2 title shim, \
     data . "/written" using 1:8:9:10 with yerrorlines ls 3 title floor_, \
     data . "/hangs" using 1:2 with points lc rgb "#c44e52" pt 2 ps 1.5 lw 2 notitle
unset label 1

set output out . "/write-cost.svg"
set title "A write to a page that was not written since the last reset\n{/*0.7 " . machine . "}"
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
set style histogram errorbars gap 1 lw 1.5
set style fill solid 0.85 border -1
set boxwidth 0.9
plot data . "/writes" using 2:3:4:xtic(1) lc rgb "#c44e52" title stock, \
     data . "/writes" using 5:6:7 lc rgb "#2a6fb0" title shim, \
     data . "/writes" using 8:9:10 lc rgb "#55a868" title floor_
