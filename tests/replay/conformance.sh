#!/bin/sh
# The conformance tests while they are recorded: recording changes nothing of what is reported, not
# even where arrays are bad or another process makes the calls; and replays report the same.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$top_srcdir/tests/replay/lib.sh"
program=$top_builddir/tests/conformance/write_watch_test.exe

for test in allocation arguments calls concurrency decommit hostile io overlap own_process \
    placeholder protection remote results; do
    rm -f "$record"
    record_program "$program" $test
    tr -d '\r' <"$work/out" | grep ":$test: .* 0 failures" || die "$test: $(tail -n 3 "$work/out")"
    "$native" --list "$record" >"$work/list" || die "$test: the record cannot be read"
    # remote has two processes of one name
    for pid in $(awk '$7 == "write_watch_test.exe" { print $1 }' "$work/list"); do
        "$native" --process "$pid" "$record" >"$work/native" 2>&1 || {
            cat "$work/native"
            die "$test: the replay of process $pid differs"
        }
        grep '^native' "$work/native"
    done
done
