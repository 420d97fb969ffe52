#!/bin/sh
# A program outside the tree, built with what make install puts into a folder and pkg-config tells:
# shared and static, as C and as C++, and a Windows source with Wine's and with mingw's headers.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

CC=${CC:-cc}
command -v "${PKG_CONFIG:-none-found}" >/dev/null || {
    echo "pkg-config is missing: run tools/install-deps and then ./configure again"
    exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-pkgconfig.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# make install notes the directories that it makes: keep the user's note
noted=$top_builddir/installed-dirs
[ ! -f "$noted" ] || { echo "this build tree is installed: make uninstall first"; exit 77; }

die()
{
    echo "$*"
    exit 1
}

unset MAKEFLAGS MFLAGS MAKELEVEL LD_PRELOAD WRITEWATCH_BACKEND
stage=$work/stage
mkdir "$stage"
make -C "$top_builddir" install DESTDIR="$stage" >"$work/log" 2>&1
status=$?
rm -f "$noted"
[ $status -eq 0 ] || die "$(cat "$work/log")"
pc=$(find "$stage" -name writewatch.pc)
[ -f "$pc" ] || die "writewatch.pc was not installed"
export PKG_CONFIG_SYSROOT_DIR="$stage" PKG_CONFIG_LIBDIR="$(dirname "$pc")"
unset PKG_CONFIG_PATH
cflags=$("$PKG_CONFIG" --cflags writewatch) || die "pkg-config --cflags fails"
libs=$("$PKG_CONFIG" --libs writewatch) || die "pkg-config --libs fails"
libdir=$("$PKG_CONFIG" --variable=libdir writewatch)
case $libdir in
"$stage"*) ;;
*) libdir=$stage$libdir ;;
esac

cat >"$work/prog.c" <<'EOF'
#include <stdio.h>
#ifdef WITH_WINDOWS_H
#include <windows.h>
#endif
#include <writewatch.h>

int main( void )
{
    const SIZE_T size = 64 * 4096;
    char *base = (char *)VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                       PAGE_READWRITE );
    void *pages[64];
    ULONG_PTR count = 64, i;
    DWORD granularity;

    if (!base)
    {
        printf( "error %u: %s\n", (unsigned int)GetLastError(), writewatch_reason() );
        return 1;
    }
    base[5 * 4096 + 17] = base[6 * 4096] = base[40 * 4096 - 1] = 1;
    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, size, pages, &count, &granularity )) return 2;
    for (i = 0; i < count; i++) printf( "%d ", (int)(((char *)pages[i] - base) / granularity) );
    base[41 * 4096] = 1;
    count = 64;
    if (GetWriteWatch( 0, base, size, pages, &count, &granularity )) return 3;
    for (i = 0; i < count; i++) printf( "%d ", (int)(((char *)pages[i] - base) / granularity) );
    printf( "%s\n", writewatch_backend() == writewatch_backend_of( base ) ? "same" : "moved" );
    return !VirtualFree( base, 0, MEM_RELEASE );
}
EOF
expect="5 6 39 41 same"

# try WHAT COMMAND...: runs it, and compares
try()
{
    what=$1
    shift
    got=$("$@" 2>&1)
    status=$?
    [ $status -eq 0 ] && [ "$got" = "$expect" ] ||
        die "$what: status $status, printed \"$got\", expected \"$expect\""
}

cd "$work" || exit 1
# shellcheck disable=SC2086
$CC -Wall -Wextra -Werror prog.c -o shared $cflags $libs || die "it does not compile"
ldd shared 2>/dev/null | grep -q 'libwritewatch\.so\.0' ||
    die "it was not linked with the shared library"
try "shared" env LD_LIBRARY_PATH="$libdir" ./shared
for backend in scan mprotect; do
    try "shared, $backend" env LD_LIBRARY_PATH="$libdir" WRITEWATCH_BACKEND=$backend ./shared
done

# shellcheck disable=SC2046,SC2086
$CC prog.c -o static -static $cflags $("$PKG_CONFIG" --static --libs writewatch) ||
    die "it does not link statically"
try "static" ./static

cp prog.c prog.cc
# shellcheck disable=SC2086
if ! echo 'int main() { return 0; }' | $CC -x c++ -fsyntax-only - 2>/dev/null; then
    echo "not tested as C++: there is no compiler for it"
else
    $CC -x c++ -Wall -Wextra -Werror -c prog.cc -o prog-cc.o $cflags &&
        $CC prog-cc.o -o cplusplus $libs || die "it does not compile as C++"
    try "C++" env LD_LIBRARY_PATH="$libdir" ./cplusplus
fi

# a Windows source, by the flags that writewatch.pc tells, with the headers of Wine and of mingw
cat >"$work/sizes.c" <<'EOF'
#include <windows.h>
#include <stdlib.h>
#include <writewatch.h>

_Static_assert( sizeof(DWORD) == 4 && sizeof(LONG) == 4 && sizeof(ULONG) == 4, "32 bits" );
_Static_assert( sizeof(SIZE_T) == 8 && sizeof(MEMORY_BASIC_INFORMATION) == 48, "64 bits" );

int main( void )
{
    MEMORY_BASIC_INFORMATION info;

    return VirtualQuery( &info, &info, sizeof(info) ) != sizeof(info);
}
EOF
windows=$("$PKG_CONFIG" --variable=windows_cflags writewatch)
missing=

# try_headers WHOSE FOLDER...: with those in the first of the folders that has any
try_headers()
{
    whose=$1
    shift
    for headers in "$@"; do
        [ -f "$headers/windows.h" ] || continue
        for prog in prog sizes; do
            # shellcheck disable=SC2086
            $CC -DWITH_WINDOWS_H $windows -idirafter "$headers" $prog.c -o windows $cflags $libs ||
                die "$prog.c does not compile with the headers of $whose"
            if [ $prog = prog ]; then
                try "windows.h of $whose" env LD_LIBRARY_PATH="$libdir" ./windows
            else
                LD_LIBRARY_PATH="$libdir" ./windows || die "sizes differ with windows.h of $whose"
            fi
        done
        return
    done
    missing="$missing $whose"
}
try_headers Wine /usr/include/wine/wine/windows /usr/include/wine/windows
try_headers mingw /usr/share/mingw-w64/include /usr/x86_64-w64-mingw32/include

make -C "$top_builddir" uninstall DESTDIR="$stage" >"$work/log" 2>&1 || die "$(cat "$work/log")"
rm -f "$noted"
[ -z "$(find "$stage" -mindepth 1)" ] || die "left: $(find "$stage" -mindepth 1)"
[ -z "$missing" ] || {
    echo "all else passed, but windows.h of$missing is missing: run tools/install-deps"
    exit 77
}
exit 0
