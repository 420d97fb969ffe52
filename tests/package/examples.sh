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
    $CC -O2 -Wall -Wextra -Werror -I"$top_srcdir/include" -o "$dir/$name" "$source" \
        -L"$top_builddir" -lwritewatch
    LD_LIBRARY_PATH=$top_builddir "$dir/$name" >"$dir/out" || {
        echo "$name ended with $?: $(tail -n 1 "$dir/out")"
        exit 1
    }
done
