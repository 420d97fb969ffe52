# The benchmark works: every row gives a value in each mode. No time is looked at.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for test in report native floor; do
    run "bench/$test" 120 sh "$top_srcdir/bench/check" $test
done
bench_exe=$top_builddir/bench/writewatch_bench.exe
for test in stock shim; do
    if wanted "bench/$test" && have_wine "bench/$test" "$bench_exe"; then
        run "bench/$test" 400 sh "$top_srcdir/bench/check" $test
    fi
done
