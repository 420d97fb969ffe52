#!/bin/sh
# What check-arm64 leaves out is what the makefile leaves out where there is no preloaded library: it asks
# make for each other unit test.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
. "$top_srcdir/tests/arm64/lacking"
unset MAKEFLAGS MFLAGS MAKELEVEL
without=$(make -s -C "$top_builddir" list-unit-of-preload) || exit 1
status=0
count=0
for source in "$top_srcdir"/tests/unit/*.c; do
    test=$(basename "$source" .c)
    reason=$(lacking "unit/$test")
    count=$((count + 1))
    case " $without " in
    *" $test "*) [ -n "$reason" ] && continue; echo "unit/$test is not built, and not in tests/arm64/lacking" ;;
    *) [ -z "$reason" ] && continue; echo "unit/$test is built, and yet in tests/arm64/lacking" ;;
    esac
    status=1
done
[ $count -gt 30 ] || { echo "only $count tests were found"; exit 1; }
exit $status
