#!/bin/sh
#
# Uninterrupted code must stay in its section: a call out of it, into libc say, would be a place
# where a thread can be suspended or ended in the middle of a query.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -eu
library=$top_builddir/preload/libwritewatch-preload.so
functions='get_write_watch reset_write_watch watch_collect watch_reset watch_undo watch_begin
           region_find region_get region_put saved_take saved_set scan_scan user_store_runs'

section=$("${OBJDUMP:-objdump}" -d -j uninterrupted "$library")
status=0
for function in $functions; do
    # inlined ones leave no symbol; what is somewhere else does
    if "${OBJDUMP:-objdump}" -t "$library" | grep -w "$function" | grep -qv -w uninterrupted; then
        echo "$function is not in the section"
        status=1
    fi
done
for function in get_write_watch reset_write_watch scan_scan; do
    echo "$section" | grep -q "<$function>:" || { echo "$function is missing"; status=1; }
done

# addresses of the section, and every direct call or jump in it
set -- $("${OBJDUMP:-objdump}" -h "$library" | awk '$2 == "uninterrupted" { print $4, $3 }')
start=$((0x$1)) end=$((0x$1 + 0x$2))
targets=$(echo "$section" | sed -n 's/.*\(call\|j[a-z]*\) *\([0-9a-f]\{3,\}\) .*/\2/p' | sort -u)
[ "$(echo "$targets" | wc -l)" -gt 20 ] || { echo "no calls or jumps found"; status=1; }
for target in $targets; do
    [ $((0x$target)) -ge $start ] && [ $((0x$target)) -lt $end ] || {
        echo "$section" | grep -w "$target" | head -1
        status=1
    }
done
exit $status
