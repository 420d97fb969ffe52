# Native tests of the parts, no Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for source in "$tests"/unit/*.c; do
    [ -f "$source" ] || continue
    test=$(basename "$source" .c)
    run "unit/$test" 120 "$top_builddir/tests/unit/$test"
done

# what scan does in its other form
if may_want unit && both_forms; then
    for test in blocks commit moved query restore small; do
        run "unit/$test-marked" 120 env WRITEWATCH_TEST_SCAN=scan:marked \
            "$top_builddir/tests/unit/$test"
    done
    for test in discard mapping mapping_refused marked pages results_array undo; do
        run "unit/$test-marked" 120 env WRITEWATCH_TEST_SCAN=scan:marked \
            "$top_builddir/tests/unit/$test" scan
    done
fi
