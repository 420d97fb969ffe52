#!/bin/sh
# What --status says of a program that runs, that has exited, that was killed; and the files.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}" "${WINE:?}"
. "$top_srcdir/tests/people/prefix"
demo=$work/people_$$.exe    # a name that no other process has
cp "$top_builddir/programs/demo/demo.exe" "$demo"
unset WRITEWATCH WRITEWATCH_LOG WRITEWATCH_STATS WRITEWATCH_STATUS WRITEWATCH_BACKEND

# status ARGUMENT...: $work/status and $status
status()
{
    "$writewatch" --status "$@" >"$work/status" 2>&1
    status=$?
}

# says PATTERN
says()
{
    grep -q -- "$1" "$work/status" && return
    cat "$work/status"
    failed "$what: no line '$1'"
}

# so many polls are counted
has_polled()
{
    status "people_$$"
    polls=$(sed -n 's/.* MiB, \([0-9]*\) polls .*/\1/p' "$work/status" | head -n 1)
    [ "${polls:-0}" -ge "$1" ]
}

what="a program that there is not"
status "people_$$"
[ $status -eq 1 ] || failed "$what: exit status $status"
says "No Wine process people_$$ of this user runs or has watched memory"

what="a running program"
"$writewatch" "$WINE" "$demo" 10000000 10 >/dev/null 2>&1 &
background=$!
wait_for has_polled 3
[ $status -eq 0 ] || failed "$what: exit status $status"
# not the one that was started, in a Wine of both word sizes
pid=$(sed -n "s/^\([0-9]*\) people_$$.exe: active.*/\1/p" "$work/status" | head -n 1)
says "^$pid people_$$.exe: active, wine-[0-9.]*.*, $((8 * ${WORD_SIZE:-8})) bits; scan"
says "  1 regions, 64.0 MiB"
says "  now: [0-9.]* polls a second"
says "  0x[0-9a-f]*  *64.0 MiB  [0-9]* polls, [0-9]* pages reported, 0 resets"
for name in "$pid" "PEOPLE_$$" "people_$$.exe"; do
    status "$name"
    says "^$pid people_$$.exe: active"
done
status
says "^$pid people_$$.exe: active"
file=/dev/shm/writewatch-$(id -u)/$pid
[ -f "$file" ] || file=/tmp/writewatch-$(id -u)/$pid
[ "$(stat -c %a "$file")" = 600 ] || failed "$file: permissions $(stat -c %a "$file")"

what="a process of Wine that watches nothing"
status services
says "services.exe: active; watches no memory"

what="a program that was killed"
last=$polls
kill -KILL "$pid"
wait "$background" 2>/dev/null
background=
has_polled "$last" || failed "$what: $polls polls, and $last before"
says "people_$$.exe: has ended"
says "was ended by a signal"

what="a program that has exited"
"$writewatch" "$WINE" "$demo" 30 10 >/dev/null 2>&1 || failed "$what: exit status $?"
has_polled 30 || failed "$what: $polls polls"
says "people_$$.exe: has ended"
says "  exited at "

what="no page is wanted"
cp "$demo" "$work/unseen_$$.exe"
WRITEWATCH_STATUS=0 "$writewatch" "$WINE" "$work/unseen_$$.exe" 30 10 >/dev/null 2>&1
status "unseen_$$"
[ $status -eq 1 ] || failed "$what: there is one"

what="many that have ended"
i=0
while [ $i -lt 20 ]; do
    pid=$((4100000 + i))
    cp "$file" "${file%/*}/$pid"
    bytes=
    for shift in 0 8 16 24; do
        bytes=$bytes\\$(printf %03o $((pid >> shift & 255)))
    done
    # shellcheck disable=SC2059
    printf "$bytes" | dd of="${file%/*}/$pid" bs=1 seek=16 conv=notrunc 2>/dev/null
    i=$((i + 1))
done
# 4.1 million is no process, unless the system allows so many
if [ ! -d /proc/4100000 ]; then
    "$writewatch" true
    left=0
    for copy in "${file%/*}"/41000*; do [ ! -f "$copy" ] || left=$((left + 1)); done
    [ "$left" -le 16 ] || failed "$what: $left are left"
fi
rm -f "${file%/*}"/41000*
rm -f "$file"
echo "each process was shown as it was"
