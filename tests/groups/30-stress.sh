# Robustness under the shim: nothing hangs, nothing is lost.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# WRITEWATCH_LONG: also suspends and ends threads for a quarter of an hour each.

for source in "$tests"/stress/*.c; do
    [ -f "$source" ] || continue
    test=$(basename "$source" .c)
    run_wine "stress/$test" shim 180 "$top_builddir/tests/stress/$test.exe"
done

# where commits ask as well
if both_forms; then
    export WRITEWATCH_BACKEND=scan:marked
    run_wine stress/unwatched_kill-marked shim 180 "$top_builddir/tests/stress/unwatched_kill.exe"
    unset WRITEWATCH_BACKEND
fi
if [ -n "$WRITEWATCH_LONG" ]; then
    for test in unwatched unwatched_kill; do
        run_wine stress/$test-long shim 1200 "$top_builddir/tests/stress/$test.exe" --seconds 900
    done
fi

# stock Wine is the measure of what may be committed
run_wine stress/charge-stock stock 180 "$top_builddir/tests/stress/charge.exe"

# with a library that forks, in each of Wine's processes
wine_run_options="--wrap $tests/stress/forks/with-helper"
run_wine stress/forks shim 180 "$top_builddir/tests/stress/forks/forks.exe"
if both_forms; then
    export WRITEWATCH_BACKEND=scan:marked
    run_wine stress/forks-marked shim 180 "$top_builddir/tests/stress/forks/forks.exe"
    unset WRITEWATCH_BACKEND
fi
wine_run_options=

# scripts that run such programs in their own ways
for script in "$tests"/stress/*.sh; do
    [ -f "$script" ] || continue
    test=stress/$(basename "$script" .sh)
    if wanted "$test" && have_wine "$test" "$top_builddir/tests/stress/basic_poll.exe"; then
        run "$test" 300 sh "$script"
    fi
done
