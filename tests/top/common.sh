# What the tests of writewatch-top share: a program that is looked at, and checks. For sh, by ".".
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
top=$top_builddir/programs/top/writewatch-top
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-top.XXXXXX") || exit 1
writer=
started=

# Ends what was started, each by its id, and removes the writer's page.
finish()
{
    for pid in $started; do kill -KILL "$pid" 2>/dev/null; done
    for pid in $writer; do
        rm -f "/dev/shm/writewatch-$(id -u)/$pid" "/tmp/writewatch-$(id -u)/$pid"
    done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

die()
{
    echo "$*"
    exit 1
}

# start_writer [COMMAND...]: starts the program that watches memory, by COMMAND if there is one; its
# id is $writer
start_writer()
{
    mkfifo "$work/in" "$work/out" || exit 1
    "$@" "$top_builddir/tests/top/writer" <"$work/in" >"$work/out" 2>"$work/writer-errors" &
    started="$started $!"
    exec 3>"$work/in" 4<"$work/out"
    read -r writer <&4 || {
        wait $!
        status=$?
        cat "$work/writer-errors"
        exit $status
    }
}

# ask WORD...: what the program is to do; its answer is $answer
ask()
{
    echo "$*" >&3
    read -r answer <&4 || die "the program that is looked at has ended: $(cat "$work/writer-errors")"
}

# refused SENTENCE COMMAND...: COMMAND must print a sentence with this text and exit with 1
refused()
{
    sentence=$1
    shift
    "$@" >"$work/refused" 2>"$work/refused.errors" </dev/null
    status=$?
    [ $status -eq 1 ] || die "$*: exit status $status, not 1: $(cat "$work/refused.errors")"
    grep -qF -- "$sentence" "$work/refused.errors" ||
        die "$*: says \"$(cat "$work/refused.errors")\", not \"$sentence\""
    [ "$(wc -l <"$work/refused.errors")" -eq 1 ] || die "$*: more than a sentence"
    [ ! -s "$work/refused" ] || die "$*: prints $(cat "$work/refused")"
}

# pages_of REGION RECORDING: the runs of its pages in the last sample
pages_of()
{
    awk -v base="$1" '$1 == "region" { mine = $2 == base } $1 == "pages" && mine { last = $2 }
        END { print last }' "$2"
}

# wait_for FILE TEXT: until the text is in the file, which the last background process writes
wait_for()
{
    until grep -q "$2" "$1" 2>/dev/null; do
        kill -0 $! 2>/dev/null || die "what should write \"$2\" to $1 has ended"
        sleep 0.05
    done
}
