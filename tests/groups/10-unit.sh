# Native tests of the parts, no Wine: programs and scripts.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for source in "$tests"/unit/*.c; do
    [ -f "$source" ] || continue
    test=$(basename "$source" .c)
    run "unit/$test" 120 "$top_builddir/tests/unit/$test"
done
for script in "$tests"/unit/*.sh; do
    [ -f "$script" ] || continue
    run "unit/$(basename "$script" .sh)" 120 sh "$script"
done
