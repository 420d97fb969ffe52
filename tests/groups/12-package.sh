# What is built and installed, and the source tree as a whole: its libraries, programs, documents.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for script in "$tests"/package/*.sh; do
    [ -f "$script" ] || continue
    run "package/$(basename "$script" .sh)" 120 sh "$script"
done
