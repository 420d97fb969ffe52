# writewatch-top, over a native program and under Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for test in exact regions refused screen unchanged wine; do
    wanted "top/$test" || continue
    if [ ! -x "$top_builddir/programs/top/writewatch-top" ]; then
        skip "top/$test" "writewatch-top is not built: ncurses is missing: $brings"
    elif [ $test != wine ] || have_wine "top/$test" "$top_builddir/programs/demo/demo.exe"; then
        run "top/$test" 120 sh "$tests/top/$test.sh"
    fi
done
