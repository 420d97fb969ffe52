#!/bin/sh
# The screen of writewatch-top: right on 80x24 with colours and without, keys, another size, and the
# terminal as it was, however it ends. tmux is the terminal.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

command -v tmux >/dev/null || { echo "tmux is missing: run tools/install-deps"; exit 77; }
. "$(dirname "$0")/common.sh"
WRITER_NAME=screen-$$.exe
export WRITER_NAME
start_writer
first=$writer
ask region 512; small=$answer
ask region 4096; large=$answer
ask write 0 0 3
# regions are in the order of their addresses: the keys that lead from one to the other
if [ "$(printf '%s\n' "$small" "$large" | sort | head -n 1)" = "$small" ]; then
    to_small=Up to_large=Down
else
    to_small=Down to_large=Up
fi
unset TMUX
TMUX_TMPDIR=$work
export TMUX_TMPDIR
# a server for each terminal: one that ends takes a new one with it
opened=0
server=
tmux()
{
    command tmux -L $server -f /dev/null "$@"
}
trap '[ -z "$server" ] || tmux kill-server 2>/dev/null; finish' EXIT

# open TERM SIZE COMMAND: in a shell that says what became of it, and of the terminal
open()
{
    [ -z "$server" ] || tmux kill-server 2>/dev/null
    opened=$((opened + 1))
    server=writewatch-top-$$-$opened
    LC_ALL=C TERM=xterm command tmux -L $server -f /dev/null new-session -d -x "${2%x*}" -y "${2#*x}" \
        "before=\$(stty -g); trap : INT; env TERM=$1 $3; echo \"status \$?\"
         [ \"\$(stty -g)\" = \"\$before\" ] && echo terminal restored; exec cat" ||
        die "tmux does not start"
}

# screen: what is on it
screen()
{
    tmux capture-pane -p
}

# until_shown TEXT, until_gone TEXT, until_matches REGEX: waits until it is so. What lasts for an interval
# only must not be waited for: a slow machine does not look in time. The time limit of the test ends
# what never comes, and then it is said what that was.
awaited=
until_shown()
{
    awaited="\"$1\" to be shown"
    until screen | grep -qF -- "$1"; do sleep 0.1; done
}

until_gone()
{
    awaited="\"$1\" to go"
    while screen | grep -qF -- "$1"; do sleep 0.1; done
}

until_matches()
{
    awaited="\"$1\" to match"
    until screen | grep -q -- "$1"; do sleep 0.1; done
}
trap 'echo "ended while waiting for $awaited; the screen is:"; screen; exit 1' HUP INT TERM

# ended STATUS: the program ends with it, and the terminal is as it was
ended()
{
    until_shown "status "
    until_shown "terminal restored"
    screen | grep -qx "status $1" || die "not status $1: $(screen)"
    # on a terminal with a second screen nothing is left of the first
    [ "$(tmux display-message -p '#{alternate_on} #{cursor_flag}')" = "0 1" ] ||
        die "the screen or the cursor was not restored"
}

for term in screen-256color vt100 ansi linux xterm; do
    infocmp $term >/dev/null 2>&1 || continue
    open $term 80x24 "'$top' --interval 0.2 $first"
    until_shown "a cell is"
    tmux send-keys $to_small
    until_shown "of 512: a cell is"
    screen >"$work/screen"
    [ "$(wc -l <"$work/screen")" -eq 24 ] || die "$term: not 24 lines"
    for text in "$WRITER_NAME (process $first" "2 regions, 18.0 MiB" "REGION              SIZE" \
        "$small, pages 0 to 511 of 512: a cell is 1 page (4 KiB)" "W just written" ". untouched" \
        "q quit  h help"; do
        grep -qF "$text" "$work/screen" || die "$term: \"$text\" is not shown: $(cat "$work/screen")"
    done
    grep -q "^ *$small www\.\{61\}$" "$work/screen" || die "$term: wrong map: $(cat "$work/screen")"
    tmux send-keys q
    ended 0
done

# colours where there are some, none where the user wants none
open screen-256color 80x24 "'$top' --interval 0.2 $first"
until_shown "a cell is"
tmux send-keys $to_small
until_shown "of 512: a cell is"
tmux capture-pane -p -e | grep -q "$(printf '\033')\\[.*35m.*www" || die "written pages have no colour"
tmux send-keys q
ended 0
open screen-256color 80x24 "NO_COLOR=1 '$top' --interval 0.2 $first"
until_shown "a cell is"
tmux send-keys $to_small
until_shown "of 512: a cell is"
! tmux capture-pane -p -e | grep -q "$(printf '\033')\\[[0-9;]*3[0-7]m" ||
    die "there are colours in spite of NO_COLOR"

# keys
ask write 0 8 1
until_matches "www.....[Ww]"
ask poll 0
[ "$answer" = 4 ] || die "a poll beside it reports $answer pages, not 4"
# what was reset is hot, then cools, and is clean in the end
until_matches "\([*+o-]\)\1\1.....\1"
tmux send-keys $to_large
until_shown "of 4096"
tmux send-keys $to_small
until_shown "of 512"
tmux send-keys +
until_shown "pages 128 to 383 of 512"
tmux send-keys Left
until_shown "pages 64 to 319 of 512"
tmux send-keys Right Right Right Right Right
until_shown "pages 256 to 511 of 512"
tmux send-keys -
until_shown "pages 0 to 511 of 512"
tmux send-keys h
until_shown "choose a region"
tmux send-keys h
until_gone "choose a region"
tmux send-keys p
until_shown PAUSED
ask write 0 100 400
# a pause shows nothing new: two more samples would have been taken by another one meanwhile
"$top" --once --interval 0.5 "$first" >"$work/text"
grep -q wwwwwwww "$work/text" || die "the write was not seen"
! screen | grep -qi wwwwwwww || die "a pause goes on"
tmux send-keys p
until_gone PAUSED
until_shown wwwwwwww

# other sizes
tmux resize-window -x 120 -y 40
until_shown "$(echo "................................................" | cut -c 1-40)"
tmux resize-window -x 40 -y 10
until_shown "$small, pages 0 to 511"
tmux resize-window -x 10 -y 4
until [ "$(screen | head -n 1)" = "$(echo "$WRITER_NAME" | cut -c 1-10)" ]; do sleep 0.1; done
tmux resize-window -x 80 -y 24
until_shown "q quit  h help"
until_shown "a cell is 1 page"

# signals
for signal in INT TERM HUP QUIT SEGV; do
    open screen-256color 80x24 "sh -c 'echo \$\$ >$work/pid; exec \"$top\" $first'"
    until_shown "a cell is"
    kill -$signal "$(cat "$work/pid")"
    until_shown "status "
    until_shown "terminal restored"
    screen | grep -q "^status 1[0-9][0-9]" || die "$signal: $(screen)"
    [ "$(tmux display-message -p '#{alternate_on} #{cursor_flag}')" = "0 1" ] ||
        die "$signal: the screen or the cursor was not restored"
done

# a terminal that is not known
open no-such-terminal 80x24 "'$top' $first"
until_shown 'the terminal "no-such-terminal" is not known'
ended 1

# several processes: a list to choose from
rm "$work/in" "$work/out"
start_writer
second=$writer
writer="$first $second"
ask region 64
open screen-256color 80x24 "'$top' --interval 0.2 screen-$$"
until_shown "which one?"
until_shown "$first"
until_shown "$second"
tmux send-keys Enter
until_shown "$WRITER_NAME (process"
tmux send-keys q
ended 0
"$top" --record "$work/record" screen-$$ 2>"$work/errors" && die "it records one of two"
grep -q "which process?" "$work/errors" || die "it does not ask which of two"
"$top" --once --interval 0.1 "SCREEN-$$.EXE" >"$work/text"
[ "$(grep -c "^$WRITER_NAME (process" "$work/text")" -eq 2 ] || die "--once does not show both"
if command -v python3 >/dev/null; then
    "$top" --once --json --interval 0.1 screen-$$ | python3 -c \
        'import json, sys; sys.exit( len( json.load( sys.stdin ) ) != 2 )' || die "wrong JSON of two"
fi

# the process ends: it is said, and the last sample stays
"$top" --record "$work/record" --interval 0.1 --seconds 0.5 "$second"
open screen-256color 80x24 "'$top' --interval 0.2 $second"
until_shown "a cell is"
kill -KILL "$second"
until_shown "THE PROCESS HAS ENDED"
until_shown "a cell is"
tmux send-keys q
ended 0

# a recording, at its own speed
open screen-256color 80x24 "'$top' --replay '$work/record'"
until_shown "END OF THE RECORDING"
until_shown "a cell is"
tmux send-keys q
ended 0
exit 0
