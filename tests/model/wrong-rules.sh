#!/bin/sh
# A model with a wrong rule must be found out by few operations, printed as a program that fails.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

for rule in array decommit protect reset; do
    log=$work/$rule.log
    "$top_builddir/tests/model/model" --wrong-rule $rule >"$log" 2>&1
    status=$?
    if [ $status -eq 77 ]; then
        cat "$log"
        exit 77
    fi
    count=$(sed -n 's/^shortened to \([0-9]*\) operations.*/\1/p' "$log")
    sed -n '/^#define STANDALONE/,/^};/p' "$log" >"$work/$rule.c"
    if [ $status -ne 1 ] || [ "${count:-99}" -gt 6 ]; then
        echo "$rule: exit status $status, ${count:-no} operations"
        cat "$log"
        failed=1
        continue
    fi
    conformance=$top_srcdir/tests/conformance
    ${CC:-cc} -std=gnu11 -Wall -Werror -D_GNU_SOURCE -I"$top_srcdir/include" -I"$conformance" \
        -I"$conformance/native" -o "$work/$rule" "$work/$rule.c" "$conformance/native/native.c" \
        -L"$top_builddir" -lwritewatch -Wl,-rpath,"$top_builddir" -pthread -ldl || {
        failed=1
        continue
    }
    if "$work/$rule" sequence >"$log" 2>&1; then
        echo "$rule: the printed program does not fail"
        cat "$work/$rule.c"
        failed=1
    else
        echo "$rule: $count operations; $(grep -m 1 'Test failed' "$log")"
    fi
done
exit $failed
