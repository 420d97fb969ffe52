#!/bin/sh
# Two processes that are recorded at once in one file: each has all of its lines, as a whole.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$top_srcdir/tests/replay/lib.sh"

# poll lines of every other page are long
for i in 1 2; do
    WRITEWATCH_RECORD=$record "$tests/wine-run" --mode shim --timeout 120 "$demo" 150 1500 12 \
        >"$work/out.$i" 2>&1 &
    eval "child$i=\$!"
done
# shellcheck disable=SC2154
wait "$child1" || die "the first one failed: $(cat "$work/out.1")"
# shellcheck disable=SC2154
wait "$child2" || die "the second one failed: $(cat "$work/out.2")"

"$native" --list "$record" >"$work/list" || die "the record cannot be read"
cat "$work/list"
[ "$(awk '$7 == "demo.exe" && $4 == 152' "$work/list" | wc -l)" = 2 ] ||
    die "there are not two processes with 152 polls each"
for pid in $(awk '$7 == "demo.exe" { print $1 }' "$work/list"); do
    "$native" --process "$pid" "$record" || die "process $pid differs"
done
