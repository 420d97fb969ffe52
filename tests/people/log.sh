#!/bin/sh
# What the log says about a run, in each way a run can go.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}" "${WINE:?}"
. "$top_srcdir/tests/people/prefix"
demo=$top_builddir/programs/demo/demo.exe
version=$(sed -n 's/^AC_INIT(\[writewatch\], *\[\([0-9.]*\)\].*/\1/p' "$top_srcdir/configure.ac")
[ -n "$version" ] || failed "configure.ac has no version"
unset WRITEWATCH WRITEWATCH_LOG WRITEWATCH_LOG_ALL WRITEWATCH_STATS WRITEWATCH_BACKEND
number='[0-9][0-9]*'

# run WHAT OPTION... -- COMMAND...: the log is $work/log
run()
{
    what=$1
    shift
    rm -f "$work/log"
    "$writewatch" --log "$work/log" "$@" >"$work/out" 2>&1
    status=$?
    touch "$work/log"
}

# has COUNT PATTERN: so many lines of the log match
has()
{
    [ "$(grep -c -- "$2" "$work/log")" -eq "$1" ] && return
    cat "$work/log"
    failed "$what: not $1 lines '$2'"
}

header="^writewatch: version $version, .*Linux $(uname -r), [0-9-]* [0-9:]* [+-][0-9]*: "

run "a program that watches memory" "$WINE" "$demo" 20
[ $status -eq 0 ] || failed "$what: exit status $status"
has 1 "${header}$WINE .*demo.exe 20\$"
has 1 "^writewatch: version $version, wine-$number\\.$number"
has 1 "^writewatch: $number demo.exe: active, scan"
has 2 .

run "with counts" --stats "$WINE" "$demo" 20 300
line="exit: 1 regions of at most 64.0 MiB, $number polls ($number with reset), $number pages"
has 1 "^writewatch: $number demo.exe: $line reported, 0 resets; [0-9.]* ms in polls and resets; stock"
has 3 .
# what the program says itself: its own count has the frames, and the start besides
reported=$(sed -n 's/.* \([0-9]*\) pages reported.*/\1/p' "$work/log")
frames=$(sed -n 's/.* reported=\([0-9]*\) .*/\1/p' "$work/out")
[ "$frames" -eq 6000 ] && [ "$reported" -ge "$frames" ] ||
    failed "$what: the program had $frames pages, the log says $reported"

# Wine starts its services again
"${WINESERVER:-wineserver}" -k
run "all processes" --log-all "$WINE" "$demo" 20
has 1 "$header"
grep -q " demo.exe: active, scan" "$work/log" || failed "$what: nothing about demo.exe"
[ "$(grep -c active "$work/log")" -gt 1 ] || failed "$what: only one process"

run "a program that watches nothing" "$WINE" cmd /c exit 3
[ $status -eq 3 ] || failed "$what: exit status $status"
has 1 "no Wine process has watched memory, so there is nothing to gain"
has 0 "active"
has 2 .

run "no Wine process" sh -c 'exit 4'
[ $status -eq 4 ] || failed "$what: exit status $status"
wait_for has_end
has 1 "no Wine process was started"

run "a command that is killed" sh -c 'kill -KILL $$'
[ $status -eq 137 ] || failed "$what: exit status $status"
wait_for has_end
has 1 "no Wine process was started"

run "switched off in each process" env WRITEWATCH=off "$WINE" "$demo" 20
has 1 "not active: WRITEWATCH=off"
has 2 .
grep -q " missed=0 false=0 " "$work/out" || failed "$what: $(cat "$work/out")"

what="counts without a log"
"$writewatch" --stats "$WINE" "$demo" 20 >"$work/out" 2>"$work/log"
has 1 " demo.exe: active"
has 1 " demo.exe: exit: "

# its process ids mean nothing to a runner outside, which must not take the page away
what="a run in another name space of processes"
if unshare --pid --fork true 2>/dev/null; then
    # shellcheck disable=SC2016
    unshare --pid --fork --kill-child "$writewatch" --log "$work/other" sh -c '
        echo "$WRITEWATCH_RUN" >"$1"
        while [ -f "$1" ]; do sleep 0.05; done
        [ -f "$WRITEWATCH_RUN" ]' sh "$work/page" &
    background=$!
    wait_for test -s "$work/page"
    "$writewatch" --log "$work/log" true
    rm "$work/page"
    wait "$background" || failed "$what: its page is gone"
    background=
fi

what="no log"
"$writewatch" "$WINE" "$demo" 20 >"$work/out" 2>"$work/log"
has 0 writewatch:
echo "each run logged what it must"
