#!/bin/sh
# The demonstration under Wine while writewatch-top looks at it as often as it can: it checks each of
# its polls, and none loses a page or reports one falsely.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$(dirname "$0")/common.sh"
demo=$top_builddir/programs/demo/demo.exe
"$top_srcdir/tests/wine-run" --mode shim --timeout 120 --log "$work/log" "$demo" 3000 \
    >"$work/demo" 2>&1 &
running=$!
# wine-run ends what it started
trap 'kill -TERM $running 2>/dev/null && wait $running; finish' EXIT
# its page comes with its first watch; in a Wine of both word sizes the last process is the program's
until pid=$(sed -n 's/^writewatch: \([0-9]*\) demo.exe: active.*/\1/p' "$work/log" 2>/dev/null |
        tail -n 1) && [ -n "$pid" ] &&
    "$top" --once --interval 0.05 "$pid" >"$work/text" 2>"$work/errors" &&
    grep -q '^1 region, 64.0 MiB' "$work/text"; do
    kill -0 $running 2>/dev/null ||
        die "the demonstration was not seen: $(cat "$work/demo" "$work/errors")"
    sleep 0.05
done
grep -q "^demo.exe (process $pid, [36][24] bits), wine-[0-9].*, Linux $(uname -r)$" "$work/text" ||
    die "it is not called what it is: $(head -n 1 "$work/text")"
for i in 1 2; do
    "$top" --record "$work/record$i" --interval 0.05 "$pid" 2>"$work/errors$i" &
    watching="$watching $!"
done
wait $running
status=$?
cat "$work/demo"
for i in $watching; do wait "$i" || die "--record of a process that ended: status $?"; done
[ $status -eq 0 ] || die "the demonstration ended with status $status"
grep -q ' missed=0 false=0 ' "$work/demo" || die "pages were lost or reported falsely"
for i in 1 2; do
    grep -q "process $pid (demo.exe) has ended" "$work/errors$i" || die "$(cat "$work/errors$i")"
    [ "$(tail -n 1 "$work/record$i")" = ended ] || die "the end is not recorded"
    grep -q '^pages .*[0-9]W' "$work/record$i" || die "no page was seen written"
    "$top" --once --replay "$work/record$i" >"$work/text" || die "the recording is damaged"
    # A frame writes 1000 pages, and all polls reset; the first one reports all pages. A sample may
    # come between the two words that a poll counts in.
    awk '$1 == "sample" { if ($6 < polls || $9 < pages) exit 1; polls = $6; pages = $9
            if (first == "" && polls >= 2) { first = polls; before = pages } }
        END { off = pages - before - 1000 * (polls - first)
            exit !(first && polls > first && off >= -1000 && off <= 1000) }' \
        "$work/record$i" || die "the counts of polls and pages are wrong"
done
exit 0
