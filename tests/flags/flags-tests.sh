# What check-flags runs in the build of each set: read by tests/run-tests, as a group of tests.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

# the machine code, and what it needs of the system; the rest of package/ is about the sources
for script in branches exports glibc-symbols uninterrupted; do
    run "package/$script" 120 sh "$tests/package/$script.sh"
done
. "$tests/groups/10-unit.sh"
. "$tests/groups/25-native.sh"

# under Wine with what these flags made; 32-bit programs of Wine are for make check-32
if [ "$WRITEWATCH_WORDS" != 32 ]; then
    . "$tests/tools/conformance"
    conformance conformance "$top_builddir/tests/conformance/write_watch_test.exe" shim
fi
