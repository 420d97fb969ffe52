#!/bin/sh
#
# The examples compile against the library of the build tree and do what they say.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for source in "$top_srcdir"/examples/*.c; do
    name=$(basename "$source" .c)
    $CC -O2 -Wall -Wextra -Werror -pthread -I"$top_srcdir/include" -o "$dir/$name" "$source" \
        -L"$top_builddir" -lwritewatch
    case $name in
    # these measure as well, and package/snapshots tests what they say
    fuzz_reset) set -- --mib 8 --runs 20 --seconds 0 ;;
    checkpoint) set -- --mib 2 --increments 100 ;;
    *) set -- ;;
    esac
    LD_LIBRARY_PATH=$top_builddir TMPDIR=$dir "$dir/$name" "$@" >"$dir/out" || {
        echo "$name ended with $?: $(tail -n 1 "$dir/out")"
        exit 1
    }
done
