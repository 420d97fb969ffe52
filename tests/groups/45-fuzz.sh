# Hostile arguments: the fuzzer with a random generator, natively with each backend and under Wine.
# WRITEWATCH_LONG=1: for long, with other seeds each day; a failure names its seed.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

fuzz_seconds=4
fuzz_wine_seconds=12
if [ "$WRITEWATCH_LONG" = 1 ]; then
    fuzz_seconds=600
    fuzz_wine_seconds=1800
fi
# seeds that every run has, and others in the long form
fuzz_seed=1
[ "$WRITEWATCH_LONG" != 1 ] || fuzz_seed=$(date +%Y%m%d)000000

for backend in $ways_backends; do
    wanted "fuzz/$backend" || continue
    if ! probe "$backend"; then
        skip "fuzz/$backend" "$reason"
        continue
    fi
    run "fuzz/$backend" $((fuzz_seconds * 3 + 60)) env WRITEWATCH_BACKEND=$backend \
        "$top_builddir/tests/fuzz/fuzz" --seed "$fuzz_seed" --seconds $fuzz_seconds --inputs 500
done
run_wine fuzz/wine shim $((fuzz_wine_seconds * 3 + 120)) "$top_builddir/tests/fuzz/fuzz.exe" \
    --seed "$fuzz_seed" --seconds $fuzz_wine_seconds --inputs 300
