#!/bin/sh
# A disk that is full: one line in the log, and the program goes on as if nothing was recorded.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$top_srcdir/tests/replay/lib.sh"

WRITEWATCH_RECORD=/dev/full "$tests/wine-run" --mode shim --log "$work/log" "$demo" 20 100 4 \
    >"$work/out" 2>&1 || die "the demonstration failed: $(cat "$work/out")"
grep ' demo.exe: ' "$work/log"
[ "$(grep -c ' demo.exe: recording stopped: /dev/full: No space left' "$work/log")" = 1 ] ||
    die "the log does not say once that recording stopped"
grep -q ' demo.exe: active, ' "$work/log" || die "writewatch was not active"
