#!/bin/sh
# Threads that are terminated while they poll and are recorded: nothing hangs, no line is torn, and
# what they took is in the record, so that replays report the same.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$top_srcdir/tests/replay/lib.sh"

record_program "$top_builddir/tests/stress/kill_threads.exe"
tr -d '\r' <"$work/out" | grep '^kill_threads: ' || die "the test said nothing"
"$native" --list "$record" || die "the record cannot be read"
replay_natively "$record"
