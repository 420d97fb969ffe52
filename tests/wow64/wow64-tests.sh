# What check-wow64 runs in its chroots: read by tests/run-tests, as a group of tests.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

# that it is what it says: 32-bit programs, and no 32-bit Unix libraries that could run them
if wanted wow64/words; then
    program=$top_builddir/tests/stress/basic_poll.exe
    machine=$(od -An -tx2 -j $(($(od -An -tu4 -j 60 -N 4 "$program") + 4)) -N 2 "$program")
    unix32=$(find /usr/lib -name 'ntdll.so*' | grep -v '/x86_64-unix/')
    if [ "$machine" != " 014c" ]; then
        fail wow64/words "basic_poll.exe is for the machine$machine, not for 014c"
    elif [ -n "$unix32" ]; then fail wow64/words "$unix32 is there"
    else pass wow64/words "$("$WINE" --version 2>/dev/null)"
    fi
fi

. "$tests/groups/20-conformance.sh"
. "$tests/groups/26-model-wine.sh"
. "$tests/groups/27-race-wine.sh"
. "$tests/groups/30-stress.sh"
for mode in stock shim; do
    run_wine demo/$mode $mode 120 "$top_builddir/programs/demo/demo.exe"
done
