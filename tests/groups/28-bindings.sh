# The bindings to other languages.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for script in "$tests"/bindings/*.sh; do
    [ -f "$script" ] || continue
    run "bindings/$(basename "$script" .sh)" 300 sh "$script"
done
