# System calls of the library fail, each in many ways: docs/fault-injection.md.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

# with WRITEWATCH_LONG=1 each call of each phase, with more errors
if may_want faults; then
    fault_options=
    [ "$WRITEWATCH_LONG" != 1 ] || fault_options=--all
    mkdir -p "$logs/faults"
    for backend in best $(native_backends); do
        wanted "faults/$backend" || continue
        if [ "$backend" != best ] && ! probe "$backend"; then
            skip "faults/$backend" "$reason"
            continue
        fi
        rm -f "$logs/faults/$backend.table"
        run "faults/$backend" 3600 "$top_builddir/tests/faults/inject" \
            --out "$logs/faults/$backend.table" "$top_builddir/tests/faults/native" \
            $fault_options "$backend"
    done
    if wanted faults/wine && have_wine faults/wine "$top_builddir/tests/faults/windows.exe"; then
        run faults/wine 1300 sh "$tests/faults/check-wine" "$logs/faults/wine.table"
    fi
fi
