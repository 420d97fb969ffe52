#!/bin/sh
# The native library shows its public names and nothing else, shared and static, and each of them is
# declared in a header. The shared one has a pthread_create() besides, which must be found whatever
# version of it a program names.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

map=$top_srcdir/dlls/writewatch/libwritewatch.map
shared=$top_builddir/libwritewatch.so.0
static=$top_builddir/libwritewatch.a
OBJDUMP=${OBJDUMP:-objdump}
CC=${CC:-cc}

command -v "$OBJDUMP" >/dev/null || {
    echo "objdump is missing: run tools/install-deps"
    exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-exports.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
status=0

sed 's,/\*.*\*/,,; s/local:.*//' "$map" | sed -n 's/^ *\([A-Za-z_0-9]*\);$/\1/p' |
    sort >"$work/named"
[ -s "$work/named" ] || { echo "no name seen in $map"; exit 1; }

# same WHAT FILE: whether the names in FILE are those of the map
same()
{
    diff "$work/named" "$2" >"$work/diff" && return
    echo "$1, compared with the version map:"
    grep '^[<>]' "$work/diff"
    status=1
}

dump=$("$OBJDUMP" -T "$shared") || exit 1
echo "$dump" | grep -q '^[0-9a-f]* g .* Base  *pthread_create$' || {
    echo "pthread_create is not exported without a version"
    status=1
}
dump=$(echo "$dump" | grep -v ' pthread_create$')
# the library's own threads are made by whatever has taken the place of pthread_create()
"$OBJDUMP" -R "$shared" | grep -q ' pthread_create' || {
    echo "calls of pthread_create() in the library are bound to its own"
    status=1
}
# all other calls within it are bound
for name in $("$OBJDUMP" -R "$shared" | awk '{ sub( /@.*/, "", $3 ); print $3 }'); do
    ! grep -qx "$name" "$work/named" || { echo "calls of $name can be interposed"; status=1; }
done
echo "$dump" | awk '/^[0-9a-f]+ / && !/\*UND\*/ && !/\*ABS\*/ { print $NF }' |
    sort >"$work/exported"
same "exported by libwritewatch.so.0" "$work/exported"
others=$(echo "$dump" | awk '/^[0-9a-f]+ / && !/\*UND\*/ && !/\*ABS\*/ && !/WRITEWATCH_0/')
[ -z "$others" ] || { echo "without the version: $others"; status=1; }

"$OBJDUMP" -t "$static" | awk '/^[0-9a-f]+ g/ && !/\*UND\*/ { print $NF }' | sort >"$work/exported"
same "global in libwritewatch.a" "$work/exported"

# declared by the headers: a program that takes the address of each
{
    echo '#include <writewatch.h>'
    echo 'const void *names[] ='
    echo '{'
    sed 's/.*/    (const void *)&,/' "$work/named"
    echo '};'
} >"$work/names.c"
"$CC" -std=c99 -Wall -Wextra -Werror -I"$top_srcdir/include" -c -o "$work/names.o" \
    "$work/names.c" || { echo "not all names are declared"; status=1; }

"$OBJDUMP" -p "$shared" >"$work/dump"
grep -q 'SONAME *libwritewatch\.so\.0$' "$work/dump" || { echo "another soname"; status=1; }
for need in $(awk '$1 == "NEEDED" { print $2 }' "$work/dump"); do
    case $need in
    libc.so.6|libpthread.so.0|libdl.so.2|ld-linux-x86-64.so.2|ld-linux.so.2) ;;
    *) echo "the library needs $need"; status=1 ;;
    esac
done
grep -A 1 '^ *STACK' "$work/dump" | grep -q 'flags rw-$' || {
    echo "the library asks for an executable stack"
    status=1
}
exit $status
