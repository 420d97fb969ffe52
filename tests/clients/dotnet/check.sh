#!/bin/sh
# A real garbage collector: the C# program on .NET for Windows gives the same results under the shim
# as under stock Wine, and its collector's watches went through the shim.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: check.sh; exit status 0 pass, 1 fail, 77 skip.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
: "${top_builddir:?}"
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-dotnet.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

sh "$here/fetch" || exit $?

for mode in stock shim; do
    sh "$here/run" --mode $mode --log "$work/log" >"$work/$mode" 2>"$work/$mode.err"
    status=$?
    echo "$mode: $(tr -d '\r' <"$work/$mode.err" | grep '^allocate: ')"
    if [ $status -ne 0 ]; then
        cat "$work/$mode" "$work/$mode.err"
        echo "the program ended with status $status under $mode"
        exit 1
    fi
done

if ! grep -q '^all objects are what they must be' "$work/stock"; then
    echo "the program said nothing of the kind under stock Wine: $(tail -n 1 "$work/stock")"
    exit 1
fi
if ! cmp -s "$work/stock" "$work/shim"; then
    diff "$work/stock" "$work/shim"
    echo "the results differ"
    exit 1
fi

line=$(grep '^writewatch: [0-9]* .*dotnet.exe: exit: ' "$work/log")
counts='\([0-9]*\) regions .*, \([0-9]*\) polls (.*), \([0-9]*\) pages reported, \([0-9]*\) resets'
# shellcheck disable=SC2046
set -- $(printf '%s\n' "$line" | sed -n "s/.*exit: $counts.*/\1 \2 \3 \4/p")
if [ $# -ne 4 ] || [ "$1" -lt 1 ] || [ "$2" -lt 1 ] || [ "$3" -lt 1 ] || [ "$4" -lt 1 ]; then
    grep 'dotnet.exe' "$work/log"
    echo "the collector did not use the shim's watches: ${line:-no line about them in the log}"
    exit 1
fi
echo "$(wc -l <"$work/shim") lines alike; watches of the collector: $1 regions, $2 polls," \
    "$3 pages reported, $4 resets"
