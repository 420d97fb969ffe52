#!/bin/sh
# writewatch --check with the command of a real Wine: the trial in a prefix of its own.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Exit status 0 pass, 1 fail, 77 skip. The environment is that of run-tests.

: "${top_srcdir:?}" "${top_builddir:?}" "${WINE:?}"
runner=$top_builddir/programs/writewatch/writewatch
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-check-wine.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/home" "$work/tmp"
export HOME="$work/home" TMPDIR="$work/tmp" WINEPREFIX="$work/prefix"
unset WRITEWATCH WRITEWATCH_LOG WRITEWATCH_BACKEND WINE_DISABLE_KERNEL_WRITEWATCH LD_PRELOAD
status=0

bad()
{
    echo "$*: $(cat "$work/json")"
    status=1
}

# check STATUS ACTIVE WINE: the answer, and a trial with exact polls, which leaves nothing behind
check()
{
    "$runner" --check --json "$3" >"$work/json"
    got=$?
    grep '"bits": 64, "active"' "$work/json" || bad "no trial"
    [ $got -eq "$1" ] || bad "exit status $got instead of $1"
    grep -q "\"bits\": 64, \"active\": $2, \"exact\": true" "$work/json" || bad "active is not $2"
    left=$(find "$work/tmp" "$work/prefix" -mindepth 1 2>/dev/null | head -n 3)
    [ -z "$left" ] || bad "left behind: $left"
    [ ! -e "$work/prefix" ] || bad "the user's prefix was made"
}

if [ ! -f "$top_builddir/preload/writewatch-trial64.exe" ]; then
    echo "writewatch-trial64.exe is not built: run tools/install-deps"
    exit 77
fi
if "$top_builddir/tests/unit/library" probe scan >/dev/null 2>&1; then serves=0 active=true
else serves=1 active=false
fi
check $serves $active "$WINE"
WRITEWATCH=off check 1 false "$WINE"

# a Wine that is not recognised runs all the same
loader=$("$top_srcdir/tests/tools/wine-tree" "$work/tree" 2>"$work/noise")
case $? in
0)
    "$top_builddir/tests/tools/doctor_ntdll" "$work/tree/ntdll.so" move || exit 1
    check 1 false "$loader"
    grep -q '"verdict": "not-recognised"' "$work/json" || bad "it is recognised"
    ;;
77) echo "a changed Wine was left out: $(cat "$work/noise")" ;;
*) cat "$work/noise"; exit 1 ;;
esac
exit $status
