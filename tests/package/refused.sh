#!/bin/sh
#
# The conformance program with a backend that there is not, or that cannot work: an error with the
# reason, and no other backend in its place.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -u
. "$top_srcdir/tests/tools/backends"
program=$top_builddir/tests/conformance/write_watch_native_test
deny=$top_builddir/tests/tools/deny_userfaultfd
status=0

# refused BACKEND WORDS COMMAND...: fails, names every word, and runs no test
refused()
{
    backend=$1 words=$2
    shift 2
    if output=$(WRITEWATCH_BACKEND=$backend "$@" arguments 2>&1); then
        echo "$backend is not refused"
        status=1
    fi
    for word in $words; do
        case $output in
        *"$word"*) ;;
        *) echo "$backend: '$word' is missing in: $output"; status=1 ;;
        esac
    done
    case $output in
    *"tests executed"*) echo "$backend: tests have run"; status=1 ;;
    esac
}

refused magic "magic $all_backends" "$program"
for backend in $userfaultfd_backends; do
    refused $backend "userfaultfd" "$deny" "$program"
done
WRITEWATCH_BACKEND=mprotect "$deny" "$program" arguments >/dev/null 2>&1 || {
    echo "mprotect does not work without userfaultfd"
    status=1
}
exit $status
