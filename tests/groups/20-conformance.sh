# The conformance suite. Stock Wine is the control: what it gets wrong must show as todo there.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$tests/tools/conformance"

conformance conformance "$top_builddir/tests/conformance/write_watch_test.exe" stock shim

# the same in the form of scan that would not be taken here by itself
if may_want conformance-marked && both_forms; then
    export WRITEWATCH_BACKEND=scan:marked
    conformance conformance-marked "$top_builddir/tests/conformance/write_watch_test.exe" shim
    unset WRITEWATCH_BACKEND
fi

# the same with our own Win32 face in place of Wine's
conformance kernelbase "$top_builddir/tests/conformance/write_watch_kernelbase_test.exe" shim

# and built by Wine's own compiler driver, with Wine's headers
if [ -n "$WINEGCC" ]; then
    conformance winegcc "$top_builddir/tests/conformance/write_watch_winegcc_test.exe" shim
elif [ "${PE_TARGET%%-*}" = i686 ]; then
    if wanted winegcc; then skip winegcc "Wine's import libraries for $PE_TARGET are not there"; fi
elif wanted winegcc; then
    fail winegcc "winegcc is missing: $brings"
fi
