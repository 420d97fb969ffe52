#!/bin/sh
# With userfaultfd refused by a system call filter, as in many sandboxes, programs run as under
# stock Wine, and the log says why.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: seccomp.sh; exit status 0 pass, 1 fail. The environment is that of run-tests: top_srcdir,
# top_builddir, CC, WINE.

: "${top_srcdir:?}" "${top_builddir:?}"
program=$top_builddir/tests/stress/basic_poll.exe
tool=tests/tools/deny_userfaultfd
cd "$top_builddir" || exit 1
mkdir -p tests/tools || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-seccomp.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ ! -f "$program" ]; then
    echo "tests/stress/basic_poll.exe is not built: run make"
    exit 1
fi
if ! [ -x "$tool" ] && ! ${CC:-cc} -O2 -Wall -o "$tool" "$top_srcdir/$tool.c"; then
    echo "$tool.c cannot be compiled by ${CC:-cc}"
    exit 1
fi

# poll EXPECTED [WRAP]: runs the program under the shim; its line in the log must match EXPECTED
poll()
{
    rm -f "$work/log"
    if [ -n "$2" ]; then set -- "$1" --wrap "$2"; else set -- "$1"; fi
    expected=$1
    shift
    "$top_srcdir/tests/wine-run" --mode shim --timeout 60 --log "$work/log" "$@" "$program"
    status=$?
    line=$(grep "^writewatch: [0-9]* .*basic_poll.exe: " "$work/log" 2>/dev/null)
    printf '%s\n' "${line:-the log says nothing about basic_poll.exe}"
    if [ $status -ne 0 ]; then
        echo "basic_poll.exe ended with status $status (${*:-no wrapper})"
        exit 1
    fi
    if ! printf '%s\n' "$line" | grep -q "basic_poll.exe: $expected"; then
        echo "the log does not say \"$expected\" (${*:-no wrapper})"
        exit 1
    fi
}

# without the filter it is active: so it is the filter that makes the difference
poll 'active, '
# EPERM, as Docker answers; ENOSYS, as others do; EACCES, which nobody expects
poll 'not active: .*userfaultfd' "$tool"
poll 'not active: .*userfaultfd' "$tool --errno 38"
poll 'not active: .*userfaultfd' "$tool --errno 13"
echo "4 runs, 3 of them with userfaultfd refused, each with exact polls"
