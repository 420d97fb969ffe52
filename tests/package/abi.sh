#!/bin/sh
# What compiled programs rely on is what tests/abi/ says: the exported symbols with their versions and
# types, and the sizes, offsets and constants of the headers, for 64 and for 32 bits.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: abi.sh [--update]: write it anew (make update-abi)

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
abi=$top_srcdir/tests/abi
include=$top_srcdir/include
CC=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-abi.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0
lacking=

# A header's structures, NAME FIELD, those with a field of - as a whole; and its constants, = NAME.
# Bit-fields have no offset.
sed 's,/\*.*\*/,,; s,/\*.*,,' "$include/writewatch.h" "$include/writewatch_windows.h" | awk '
    /^(__extension__ )?(typedef )?struct [A-Za-z_]+$/ { name = "struct " $NF; next }
    /^(typedef )?enum/ { enumeration = 1; next }
    /^}/ { name = ""; enumeration = 0; next }
    name != "" && /^{/ { print name, "-"; next }
    name != "" && /;$|; *$/ && !/:/ && /[A-Za-z]/ {
        field = $0
        sub( /;.*/, "", field ); sub( /\[.*/, "", field ); sub( /.*[ *]/, "", field )
        print name, field
    }
    enumeration && /^ +[A-Za-z]/ { sub( /[ ,=].*/, "", $1 ); print "=", $1 }
    /^#define [A-Z_0-9a-z]+ +[^ ]/ && $2 !~ /^WRITEWATCH_VERSION/ { print "=", $2 }' >"$work/names"
[ "$(grep -c '^struct' "$work/names")" -ge 20 ] && [ "$(grep -c '^=' "$work/names")" -ge 70 ] ||
    { echo "the headers' structures and constants are not seen"; exit 1; }

# Compiled, not run: the numbers stand in the assembly, so any compiler will do.
{
    echo '#include <stddef.h>'
    echo '#include <writewatch.h>'
    echo '#define note( text, value ) __asm__ volatile( ".ascii \"" text " %c0\"" :: "i" (value) )'
    echo 'void numbers( void );'
    echo 'void numbers( void )'
    echo '{'
    sed -n 's/^struct \([^ ]*\) -$/    note( "struct \1 sizeof", sizeof(struct \1) );/p
        s/^struct \([^ ]*\) \(..*\)$/    note( "struct \1 \2", offsetof( struct \1, \2 ) );/p
        s/^= \(.*\)$/    note( "\1", (unsigned int)(\1) );/p' "$work/names"
    echo '}'
} >"$work/numbers.c"

# layout COMPILER...: prints its numbers
layout()
{
    "$@" -std=gnu11 -O1 -I"$include" -S -o "$work/numbers.s" "$work/numbers.c" || return
    sed -n 's/^[[:space:]]*\.ascii[[:space:]]*"\(.*\)"$/\1/p' "$work/numbers.s"
}

# The calls' types, as the compiler writes them. Only gcc does.
types()
{
    printf '#include <writewatch.h>\n' >"$work/types.c"
    gcc -std=gnu11 -I"$include" -aux-info "$work/aux" -fsyntax-only "$work/types.c" || return
    sed -n 's,^/\* .*/writewatch[a-z_]*\.h:.*\*/ extern \(.*\);$,\1,p' "$work/aux"
}

# shellcheck disable=SC2086
bits=$(printf '__SIZEOF_POINTER__\n' | $CC -E -P - 2>/dev/null | grep -x '[48]')
[ -n "$bits" ] || { echo "$CC does not say how large a pointer is"; exit 1; }
case $bits in
8) compilers="64 32" ;;
4) compilers=32 ;;
esac
for size in $compilers; do
    compiler=$CC
    if [ $size = 32 ] && [ "$bits" = 8 ]; then compiler=${CC32:-i686-linux-gnu-gcc}; fi
    command -v "${compiler%% *}" >/dev/null || {
        lacking="$lacking, a compiler for $size bits"
        continue
    }
    # shellcheck disable=SC2086
    layout $compiler >"$work/layout-$size" || { echo "no layout for $size bits"; exit 1; }
    [ "$(wc -l <"$work/layout-$size")" -eq "$(wc -l <"$work/names")" ] ||
        { echo "not all numbers were found for $size bits"; exit 1; }
done

if command -v gcc >/dev/null; then
    types | sort >"$work/types"
    [ "$(wc -l <"$work/types")" -ge 30 ] || { echo "the calls' types are not seen"; exit 1; }
else
    lacking="$lacking, gcc"
fi
${NM:-nm} -D --defined-only --with-symbol-versions "$top_builddir/libwritewatch.so.0" \
    >"$work/nm" || exit 1
awk '$2 != "A" { print $2, $3 }' "$work/nm" | sort >"$work/symbols"
[ "$(wc -l <"$work/symbols")" -ge 30 ] || { echo "no symbols of the library seen"; exit 1; }

if [ "$1" = --update ]; then
    [ -z "$lacking" ] || { echo "missing: ${lacking#, }"; exit 1; }
    for file in symbols types layout-64 layout-32; do
        cp "$work/$file" "$abi/$file" || exit 1
    done
    exit 0
fi

for file in symbols types layout-64 layout-32; do
    [ -f "$work/$file" ] || continue
    diff "$abi/$file" "$work/$file" >"$work/diff" && continue
    echo "$file differs; < is what compiled programs rely on, > what was built:"
    grep '^[<>]' "$work/diff"
    if grep -q '^<' "$work/diff"; then
        echo "Programs that were compiled before break: see CONTRIBUTING.md"
    else
        echo "What is new is not listed yet: make update-abi"
    fi
    status=1
done
[ $status -eq 0 ] && [ -n "$lacking" ] && {
    echo "all else passed, but missing: ${lacking#, }: run tools/install-deps"
    exit 77
}
exit $status
