#!/bin/sh
#
# The examples of snapshots: each backend puts back and saves exactly what has changed, and they see
# it where a page is left out.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -eu
. "$top_srcdir/tests/tools/backends"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

die()
{
    echo "snapshots: $*"
    exit 1
}

# build NAME SOURCE...: with the flags that are set in $flags
flags=
build()
{
    program=$dir/$1
    shift
    # shellcheck disable=SC2086
    $CC -O2 -Wall -Wextra -Werror -pthread $flags -I"$top_srcdir/include" -o "$program" "$@" \
        -L"$top_builddir" -lwritewatch || die "cannot build $program"
}

build fuzz_reset "$top_srcdir/examples/fuzz_reset.c"
build checkpoint "$top_srcdir/examples/checkpoint.c"
# the calls that forget pages have the names of the others for the examples alone
$CC -O2 -Wall -Wextra -Werror -I"$top_srcdir/include" -c -o "$dir/mistaken.o" \
    "$top_srcdir/tests/package/mistaken.c" || die "cannot build mistaken.o"
flags="-Dwritewatch_tracker_list=mistaken_list -Dwritewatch_tracker_save_to=mistaken_save_to
    -Dwritewatch_tracker_restore=mistaken_restore"
build mistaken_fuzz_reset "$top_srcdir/examples/fuzz_reset.c" "$dir/mistaken.o"
build mistaken_checkpoint "$top_srcdir/examples/checkpoint.c" "$dir/mistaken.o"

# example STATUS BACKEND NAME ARGUMENTS...: its output in $dir/out
example()
{
    expected=$1 backend=$2
    shift 2
    status=0
    name=$1
    shift
    WRITEWATCH_BACKEND=$backend LD_LIBRARY_PATH=$top_builddir TMPDIR=$dir "$dir/$name" "$@" \
        >"$dir/out" 2>&1 || status=$?
    [ $status -eq "$expected" ] ||
        die "$name with $backend: exit status $status, not $expected: $(cat "$dir/out")"
}

# rows END NAME...: the rows that begin with these names end so
rows()
{
    end=$1
    shift
    for row in "$@"; do
        grep -q "^$row .*  $end\$" "$dir/out" ||
            die "$name with $backend: \"$row\" does not end in \"$end\": $(cat "$dir/out")"
    done
}

missing=
for backend in $exact_backends; do
    if ! "$top_builddir/tests/unit/library" probe "$backend" >/dev/null 2>&1; then
        missing="$missing $backend"
        continue
    fi
    # spread, and side by side
    for pages in '--mib 4 --pages 60' '--mib 32 --pages 60 --cluster 20'; do
        # shellcheck disable=SC2086
        example 0 "$backend" fuzz_reset --runs 40 --check 5 --seconds 0 $pages
        rows exact "writewatch, $backend" "with second tracker, $backend" 'writewatch, mprotect' \
            'fork for each run' 'copying everything'
        grep -q '[1-9][0-9]* of 120 runs crashed' "$dir/out" ||
            die "$backend: no run crashed: $(cat "$dir/out")"
    done
    # by several threads, and by one
    for threads in 3 1; do
        example 0 "$backend" checkpoint --mib 2 --increments 1000 --pages 40 --fork-share 200 \
            --threads $threads
        rows exact "list, to a log, $backend *1000" "save_to, to a file, $backend *1000" \
            'fork, everything'
    done

    example 1 "$backend" mistaken_fuzz_reset --mib 4 --runs 40 --check 5 --seconds 0 --pages 60
    rows '[1-9][0-9]* wrong, [0-9]* not listed' "writewatch, $backend" 'writewatch, mprotect' \
        "with second tracker, $backend"
    rows '[0-9]* wrong, [1-9][0-9]* not listed' "with second tracker, $backend"
    rows exact 'fork for each run' 'copying everything'
    example 1 "$backend" mistaken_checkpoint --mib 2 --increments 300 --pages 40 --fork-share 100
    rows '[1-9][0-9]* pages differ' "list, to a log, $backend" "save_to, to a file, $backend"
    rows exact 'fork, everything'
done
[ -z "$missing" ] || { echo "not here:$missing"; exit 77; }
