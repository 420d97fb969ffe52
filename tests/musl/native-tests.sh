# What check-musl runs: read by tests/run-tests, as a group of tests.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

. "$tests/musl/lacking"

# the library itself must not have found glibc
if wanted musl/needs; then
    needs=$("${OBJDUMP:-objdump}" -p "$top_builddir/libwritewatch.so.0" |
        awk '$1 == "NEEDED" { print $2 }' | sort | paste -sd ' ')
    if [ "$needs" = libc.so ]; then pass musl/needs "$needs"
    else fail musl/needs "the library needs $needs"
    fi
fi

for source in "$tests"/unit/*.c; do
    name=unit/$(basename "$source" .c)
    reason=$(lacking "$name")
    if [ -z "$reason" ]; then run "$name" 300 "$top_builddir/tests/$name"
    elif wanted "$name"; then skip "$name" "$reason"
    fi
done
if wanted faults; then skip faults "$(lacking faults)"; fi

run package/examples 120 sh "$tests/package/examples.sh"
run model/static 300 "$top_builddir/tests/model/model.static" --seed 1 --steps 20000
. "$tests/groups/15-model.sh"
. "$tests/groups/16-race.sh"
. "$tests/groups/25-native.sh"
for backend in $ways_backends; do
    run "fuzz/$backend" 72 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/fuzz/fuzz" \
        --seconds 4 --inputs 500
done
