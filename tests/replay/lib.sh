# What the tests of recording and replaying share; read by a shell.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034
#
# WRITEWATCH_REPLAY: the program that runs Windows programs, with those of both word sizes; the
# build tree's own is the one for native replays.

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
tests=$top_srcdir/tests
demo=$top_builddir/programs/demo/demo.exe
native=$top_builddir/programs/replay/writewatch-replay
: "${WRITEWATCH_REPLAY:=$native}"
bits=${WRITEWATCH_WORDS:-64}
export WRITEWATCH_REPLAY
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-replay.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
record=$work/record
unset WRITEWATCH_RECORD WRITEWATCH_BACKEND

die()
{
    echo "$*"
    exit 1
}

# record_program PROGRAM [ARG...]: runs it under writewatch and records it; its output to $work/out
record_program()
{
    WRITEWATCH_RECORD=$record "$tests/wine-run" --mode shim --timeout 120 --log "$work/log" "$@" \
        >"$work/out" 2>&1
    status=$?
    [ $status -eq 0 ] || die "exit status $status while recording: $(tail -n 3 "$work/out")"
    ! grep -q 'recording stopped' "$work/log" || die "$(grep 'recording stopped' "$work/log")"
}

# replay_natively RECORD: by every backend that works here; the pages must be the same
replay_natively()
{
    "$native" --backend all "$1" >"$work/native" 2>&1 || {
        cat "$work/native"
        die "native replays differ"
    }
    grep '^native' "$work/native"
    grep -q '^native, .*[0-9]  ' "$work/native" || die "no backend replayed anything"
}

# replay_in_wine RECORD [OPTION...]: under stock Wine and under writewatch, in a prefix of its own
replay_in_wine()
{
    "$tests/wine-run" --mode stock --timeout 240 --wrap "$tests/replay/in-prefix" "$demo" \
        --writewatch --bits "$bits" "$@" >"$work/wine" 2>&1 || {
        cat "$work/wine"
        die "replays in Wine differ"
    }
    grep "^stock Wine, $bits bits\|^writewatch, $bits bits" "$work/wine"
    for under in "stock Wine" writewatch; do
        grep -q "^$under, $bits bits *[0-9]" "$work/wine" || die "no replay under $under"
    done
}
