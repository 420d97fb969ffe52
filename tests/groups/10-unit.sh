# Native tests of the parts, no Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for source in "$tests"/unit/*.c "$tests"/unit/*/*.c; do
    [ -f "$source" ] || continue
    program=${source#"$tests/"}
    program=$top_builddir/tests/${program%.c}
    # those in a folder are for the processor of its name
    case ${program#"$top_builddir/tests/unit/"} in
    */*) [ -x "$program" ] || continue ;;
    esac
    run "unit/$(basename "$program")" 120 "$program"
done

# what scan does in its other form
if may_want unit && both_forms; then
    run unit/trackers-marked 120 env WRITEWATCH_TEST_SCAN=scan:marked \
        "$top_builddir/tests/unit/trackers" --steps 100000 scan
    for test in blocks commit moved query restore small; do
        run "unit/$test-marked" 120 env WRITEWATCH_TEST_SCAN=scan:marked \
            "$top_builddir/tests/unit/$test"
    done
    for test in across discard drops mapping mapping_refused marked pages remap results_array \
        snapshot tracker_cases tracker_drops tracker_waits trackers_race undo views; do
        run "unit/$test-marked" 120 env WRITEWATCH_TEST_SCAN=scan:marked \
            "$top_builddir/tests/unit/$test" scan
    done
fi
