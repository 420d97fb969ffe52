# The conformance suite as a native program over the native library, once with each backend.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

native_test=$top_builddir/tests/conformance/write_watch_native_test
if may_want native; then
    names=$("$native_test" --list 2>/dev/null)
    [ -n "$names" ] || fail native "write_watch_native_test --list names no test"
    for backend in $(native_backends); do
        if ! probe "$backend"; then
            if wanted "native/$backend"; then skip "native/$backend" "$reason"; fi
            continue
        fi
        for test in $names; do
            run_native "native/$backend/$test" $backend 120 "$native_test" "$test"
        done
    done
fi
