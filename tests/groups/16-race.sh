# Writers against pollers, natively with each backend: no write lost, none made up.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# WRITEWATCH_SEED is the first seed (default 1). WRITEWATCH_LONG lets it go on for long, and until
# 10^8 writes were made.

race_options="--seconds 5"
[ -z "$WRITEWATCH_LONG" ] || race_options="--seconds 60 --writes 100000000"
for backend in $(native_backends); do
    wanted "race/$backend" || continue
    if ! probe "$backend"; then
        skip "race/$backend" "$reason"
        continue
    fi
    # shellcheck disable=SC2086
    run "race/$backend" 1800 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/race/race" \
        --seed "${WRITEWATCH_SEED:-1}" $race_options
done
# with no block known to be full or written
# shellcheck disable=SC2086
run race/scan-sparse 1800 env WRITEWATCH_BACKEND=scan "$top_builddir/tests/race/race" --sparse 1 \
    --seed "${WRITEWATCH_SEED:-1}" $race_options
