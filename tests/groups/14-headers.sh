# The header in the programs of others, by language and by what stands beside it.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for language in c c++ clang clang++; do
    for neighbour in alone macros "$tests"/headers/*.h; do
        neighbour=$(basename "$neighbour" .h)
        run "headers/$language/$neighbour" 120 sh "$tests/headers/headers.sh" $language "$neighbour"
    done
done
