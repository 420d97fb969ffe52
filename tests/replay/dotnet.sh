#!/bin/sh
# The .NET program, recorded: its collector reserves, commits, decommits and polls in several threads.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$top_srcdir/tests/replay/lib.sh"

sh "$tests/clients/dotnet/fetch" || exit $?
WRITEWATCH_RECORD=$record sh "$tests/clients/dotnet/run" --mode shim --log "$work/log" \
    >"$work/out" 2>&1 || die "the program failed while it was recorded: $(tail -n 3 "$work/out")"
"$native" --list "$record" || die "the record cannot be read"

# what the engine has counted is in the record
line=$(grep '^writewatch: [0-9]* .*dotnet.exe: exit: ' "$work/log")
counts=$(echo "$line" | sed -n 's/.* \([0-9]*\) polls ([^)]*), \([0-9]*\) pages reported, .*/\1 \2/p')
[ -n "$counts" ] || die "no counts in the log: $(cat "$work/log")"
recorded=$("$native" --list "$record" | awk '$7 == "dotnet.exe" { print $4, $5 }')
[ "$recorded" = "$counts" ] || die "recorded: $recorded polls and pages, counted: $counts"

replay_natively "$record"
replay_in_wine "$record"
