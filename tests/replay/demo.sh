#!/bin/sh
# The demonstration, recorded: what it wrote is in the record, and replays report the same pages.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$top_srcdir/tests/replay/lib.sh"

record_program "$demo" 40 200 8
reported=$(tr -d '\r' <"$work/out" | sed -n 's/^demo: .* reported=\([0-9]*\) .*/\1/p')
[ "${reported:-0}" -gt 0 ] || die "the demonstration reported nothing: $(cat "$work/out")"

# it does not count what it does before its frames: one poll of all pages, and a frame
"$native" --list "$record" >"$work/list" || die "the record cannot be read"
cat "$work/list"
# shellcheck disable=SC2046
set -- $(grep ' demo.exe ' "$work/list")
[ "$2" = "$bits" ] || die "the record is of a program of $2 bits, not of $bits"
[ "$4" = 42 ] || die "$4 polls are recorded, not 42"
[ "$5" = $((reported + 200 + 8 * 256)) ] || die "$5 pages are recorded, the program saw $reported"
[ "$(wc -l <"$work/list")" = 2 ] || die "processes that watch nothing are in the record"

replay_natively "$record"
replay_in_wine "$record"

