#!/bin/sh
# The preloaded library: it must load on glibc 2.31 and export only what its version map names.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A library that needs a newer symbol ends every program that it is preloaded into. With
# WRITEWATCH_LIBRARY that is checked of another library.

newest=2.31
library=${WRITEWATCH_LIBRARY:-$top_builddir/preload/libwritewatch-preload.so}
map=$top_srcdir/preload/preload.map
OBJDUMP=${OBJDUMP:-objdump}

command -v "$OBJDUMP" >/dev/null || {
    echo "objdump is missing: run tools/install-deps"
    exit 77
}
[ -f "$library" ] || { echo "preload/libwritewatch-preload.so is not built"; exit 1; }
dump=$("$OBJDUMP" -T "$library") || exit 1
status=0

needed=$(echo "$dump" | grep -o 'GLIBC_[0-9][0-9.]*' | sort -u | sed 's/GLIBC_//')
[ -n "$needed" ] || { echo "no GLIBC_ version seen: objdump -T was not understood"; exit 1; }
for version in $needed; do
    last=$(printf '%s\n' "$version" $newest | sort -V | tail -n 1)
    [ "$last" = $newest ] || {
        echo "GLIBC_$version is newer than $newest:"
        echo "$dump" | grep -F "GLIBC_$version"
        status=1
    }
done

# not a symbol, but as new: 2.36 for packed relocations
packed=$("$OBJDUMP" -p "$library" | grep -o 'GLIBC_ABI_[A-Z_0-9]*\|RELRSZ' | sort -u)
[ -z "$packed" ] || { echo "a newer glibc is needed for" $packed; status=1; }

# the names before local: in the map, without its comments
wanted=$(tr '\n' ' ' <"$map" | sed 's,/\*[^*]*\*/,,g; s/local:.*//; s/.*global://' |
    tr -d ' \t' | tr ';' '\n' | grep . | sort -u)
[ -n "$wanted" ] || { echo "no name seen in preload/preload.map"; exit 1; }
exported=$(echo "$dump" | awk '/^[0-9a-f]+ / && !/\*UND\*/ && !/\*ABS\*/ { print $NF }' | sort -u)
[ -n "$exported" ] || { echo "the library exports nothing"; exit 1; }
for symbol in $exported; do
    printf '%s\n' "$wanted" | grep -qxF "$symbol" || {
        echo "$symbol is exported but not named in preload/preload.map"
        status=1
    }
done
for symbol in $wanted; do
    printf '%s\n' "$exported" | grep -qxF "$symbol" || {
        echo "$symbol is named in preload/preload.map but not exported"
        status=1
    }
done
# an entry of type NEEDED beside these would be one more thing that a host can lack
for need in $("$OBJDUMP" -p "$library" | awk '$1 == "NEEDED" { print $2 }'); do
    case $need in
    libc.so.6|libdl.so.2|ld-linux-x86-64.so.2|ld-linux.so.2) ;;
    *) echo "the library needs $need"; status=1 ;;
    esac
done
"$OBJDUMP" -p "$library" | grep -A 1 '^ *STACK' | grep -q 'flags rw-$' || {
    echo "the library asks for an executable stack"
    status=1
}

other=$top_builddir/32/preload/libwritewatch-preload.so
if [ -z "$WRITEWATCH_LIBRARY" ] && [ -f "$other" ]; then
    WRITEWATCH_LIBRARY=$other sh "$0" || status=1
fi
exit $status
