#!/bin/sh
# The bindings have what writewatch.h declares, and what reads it stops at what it does not know.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}"
command -v python3 >/dev/null || { echo "python3 is missing: run tools/install-deps"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-declared.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0
python3 "$top_srcdir/bindings/declare" --check "$top_srcdir" || status=1

# every call of the version map, in both
for call in $(sed 's,/\*.*\*/,,; s/local:.*//' "$top_srcdir/dlls/writewatch/libwritewatch.map" |
    sed -n 's/^ *\(writewatch_[a-z_0-9]*\);$/\1/p'); do
    for file in python/writewatch.py rust/writewatch-sys/src/declarations.rs; do
        grep -q "\\<$call\\>" "$top_srcdir/bindings/$file" || { echo "$file has no $call"; status=1; }
    done
done

# in a copy: what is new gets in, and what is strange is not left out in silence
mkdir -p "$work/include"
cp -R "$top_srcdir/bindings" "$work" && chmod -R u+w "$work" || exit 1
# with LINE: the copy's header with a line more
with()
{
    sed "s|^#pragma GCC visibility pop|$1\\n&|" "$top_srcdir/include/writewatch.h" \
        >"$work/include/writewatch.h"
}
with 'struct writewatch_new { uint32_t a[3]; const char *b; }; extern int writewatch_new( const struct writewatch_new **all, pid_t pid );'
python3 "$work/bindings/declare" --check "$work" >/dev/null && { echo "a new call is not seen"; status=1; }
python3 "$work/bindings/declare" "$work" || status=1
grep -q 'pub fn writewatch_new(all: \*mut \*const writewatch_new, pid: c_int) -> c_int;' \
    "$work/bindings/rust/writewatch-sys/src/declarations.rs" || { echo "a new call is wrong in Rust"; status=1; }
grep -q '("a", ctypes.c_uint32 \* 3),' "$work/bindings/python/writewatch.py" ||
    { echo "a new structure is wrong in Python"; status=1; }
for strange in 'extern strange writewatch_new( void );' 'extern int writewatch_new( ... );' \
    'typedef int (*writewatch_new)( int );' '#define WRITEWATCH_NEW other_name' \
    'struct writewatch_new { int a : 3; };'; do
    with "$strange"
    ! python3 "$work/bindings/declare" "$work" 2>/dev/null ||
        { echo "this is passed over: $strange"; status=1; }
done
exit $status
