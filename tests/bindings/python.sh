#!/bin/sh
# The module for Python, with each backend that works here.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
command -v python3 >/dev/null || { echo "python3 is missing: run tools/install-deps"; exit 77; }
export PYTHONPATH="$top_srcdir/bindings/python" PYTHONDONTWRITEBYTECODE=1
export WRITEWATCH_LIBRARY="$top_builddir/libwritewatch.so.0"
unset LD_PRELOAD WRITEWATCH_BACKEND
bits=$(($(python3 -c 'import ctypes; print(ctypes.sizeof(ctypes.c_void_p))') * 8))
python3 -c 'import writewatch' || {
    [ $bits = "$(getconf LONG_BIT)" ] && exit 1
    echo "python3 has $bits bits and the library has not"
    exit 77
}
passed=0
for backend in scan sigbus mprotect thread; do
    WRITEWATCH_LAYOUT="$top_srcdir/tests/abi/layout-$bits" \
        python3 -W error "$top_srcdir/tests/bindings/python_test.py" $backend
    status=$?
    case $status in
    0) passed=$((passed + 1)) ;;
    77) ;;
    *) echo "$backend: exit status $status"; exit 1 ;;
    esac
done
[ $passed -gt 0 ] || { echo "no backend works here"; exit 77; }
