#!/bin/sh
# What a user does with the installed packages: asks whether it works, runs a program, reads its
# report, and looks at it from outside in a terminal of 80 columns and 24 lines.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: people.sh DEMO.exe        in a tree in which the packages are installed, with WINE

work=$(mktemp -d) || exit 1
background=
export WINEPREFIX="$work/prefix" WINEDEBUG=-all
end_people()
{
    [ -z "$background" ] || kill -KILL "$background" 2>/dev/null
    tmux -S "$work/tmux" kill-server 2>/dev/null
    "${WINESERVER:-wineserver}" -k 2>/dev/null
    "${WINESERVER:-wineserver}" -w 2>/dev/null
    rm -rf "$work"
}
trap end_people EXIT
trap 'exit 1' HUP INT TERM
failed()
{
    echo "$*"
    exit 1
}
says()
{
    grep -q -- "$1" "$work/out" || { cat "$work/out"; failed "$what: no line '$1'"; }
}
cp "$1" "$work/game.exe" || exit 1

what="writewatch --check"
writewatch --check >"$work/out" 2>&1 || { cat "$work/out"; failed "$what: exit status $?"; }
says "Windows programs would be served here"
what="writewatch --check $WINE"
writewatch --check "$WINE" >"$work/out" 2>&1 || { cat "$work/out"; failed "$what: exit status $?"; }
says "64 bits: 551 written, 551 reported, 0 wrong, 0 missing"
sed 's/^/| /' "$work/out"

what="a run with its report"
writewatch --stats "$WINE" "$work/game.exe" 50 100 >"$work/out" 2>&1 || failed "$what: $?"
says "game.exe: active, scan"
says "game.exe: exit: 1 regions of at most 64.0 MiB, [0-9]* polls .* [0-9]* pages reported"
sed 's/^/| /' "$work/out"

what="--status of a running program"
writewatch "$WINE" "$work/game.exe" 100000000 100 >/dev/null 2>&1 &
background=$!
until writewatch --status game >"$work/out" 2>&1 && grep -q ' [1-9][0-9]* pages reported' "$work/out"
do sleep 0.2; done
# not the one that was started, in a Wine of both word sizes
pid=$(sed -n 's/^\([0-9]*\) game.exe: active.*/\1/p' "$work/out" | head -n 1)
says "^$pid game.exe: active, wine-.*, 64 bits; scan"
sed 's/^/| /' "$work/out"

what="writewatch-top in a terminal"
tmux -S "$work/tmux" -f /dev/null new-session -d -x 80 -y 24 "TERM=screen writewatch-top game" ||
    failed "$what: tmux $?"
until tmux -S "$work/tmux" capture-pane -p >"$work/out" && grep -q 'REGION.*POLLS/S' "$work/out" &&
    grep -q 'a cell is' "$work/out"; do sleep 0.2; done
[ "$(wc -l <"$work/out")" -le 24 ] || failed "$what: $(wc -l <"$work/out") lines"
[ "$(wc -L <"$work/out")" -le 80 ] || failed "$what: $(wc -L <"$work/out") columns"
says "^game.exe (process $pid, 64 bits), wine-"
sed 's/^/| /' "$work/out"
tmux -S "$work/tmux" send-keys q
while tmux -S "$work/tmux" list-sessions >/dev/null 2>&1; do sleep 0.2; done

what="the program was killed"
kill -KILL "$pid"
wait "$background" 2>/dev/null
background=
writewatch --status game >"$work/out" 2>&1 || failed "$what: exit status $?"
says "game.exe: has ended"
rm -rf "/dev/shm/writewatch-$(id -u)"
echo "each program said what it must"
