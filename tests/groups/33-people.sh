# What people see and use: the log, the status, and programs that look from outside.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for script in "$tests"/people/*.sh; do
    [ -f "$script" ] || continue
    test=people/$(basename "$script" .sh)
    if wanted "$test" && have_wine "$test" "$top_builddir/programs/demo/demo.exe"; then
        run "$test" 300 sh "$script"
    fi
done
