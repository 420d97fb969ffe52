# Writers against pollers, under Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same program as natively, see 16-race.sh.

race_options="--seconds 8"
race_limit=120
if [ -n "$WRITEWATCH_LONG" ]; then
    race_options="--seconds 120 --writes 100000000"
    race_limit=1800
fi
# shellcheck disable=SC2086
run_wine race-wine/shim shim $race_limit "$top_builddir/tests/race/race.exe" \
    --seed "${WRITEWATCH_SEED:-1}" $race_options
