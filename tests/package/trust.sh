#!/bin/sh
# What is preloaded and linked adds no way in: no search in the current folder, nothing honoured in
# set-user-id programs, descriptors that no command inherits, log files for their owner alone.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: trust.sh; exit status 0 pass, 1 fail, 77 skip. The environment is that of run-tests.

: "${top_srcdir:?}" "${top_builddir:?}"
. "$top_srcdir/tests/tools/backends"
preload=$top_builddir/preload/libwritewatch-preload.so
exact=$top_builddir/tests/sandbox/exact
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-trust.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 711 "$work"
failures=0

failed()
{
    echo "failed: $*"
    failures=$((failures + 1))
}

# No search: each library that is needed is libc's, by its name, and no path is built in.
for library in "$preload" "$top_builddir/libwritewatch.so.0"; do
    if readelf -d "$library" | grep -E 'RPATH|RUNPATH'; then failed "$library has a path"; fi
    readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^lib(c|dl|pthread)\.so\.' &&
        failed "$library needs more than libc"
done

# Nothing is asked of the environment but by the call that a set-user-id program gets nothing from.
for library in "$preload" "$top_builddir/libwritewatch.so.0"; do
    readelf --dyn-syms -W "$library" | grep -w 'getenv\(@.*\)\?' && failed "$library uses getenv"
done

# A stand-in for Wine's loader: it loads the file that its argument names.
cat >"$work/loader.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main( int argc, char **argv )
{
    if (argc > 1 && dlopen( argv[1], RTLD_NOW )) return 0;
    fprintf( stderr, "%s\n", dlerror() );
    return 1;
}
END
echo 'int something;' >"$work/ntdll.c"
mkdir "$work/lib"
cp "$preload" "$work/lib/"
${CC:-cc} -shared -fPIC -o "$work/lib/ntdll.so" "$work/ntdll.c" &&
    ${CC:-cc} -o "$work/loader" "$work/loader.c" -Wl,--no-as-needed -L"$work/lib" \
        -l:libwritewatch-preload.so -Wl,-rpath,"$work/lib" -ldl || exit 1
chmod 755 "$work/lib" "$work/lib"/* "$work/loader"
load="$work/loader $work/lib/ntdll.so"

# The log: made for its owner, whatever the mask allows
umask 0
WRITEWATCH_LOG=$work/log $load || failed "the loader"
umask 022
grep -q 'not active' "$work/log" || failed "a plain program writes no log: $(cat "$work/log")"
[ "$(stat -c %a "$work/log")" = 600 ] || failed "the log has mode $(stat -c %a "$work/log")"

# A link in the place of the log is not followed, and a pipe without a reader stops nothing.
echo precious >"$work/precious"
ln -s precious "$work/link"
ln -s nothing-yet "$work/dangling"
mkfifo "$work/pipe"
# only what hangs takes that long
limit=$((60 * ${WRITEWATCH_TEST_FACTOR:-4}))
for file in link dangling pipe; do
    WRITEWATCH_LOG=$work/$file timeout $limit $load || failed "the log is $file: status $?"
done
[ "$(cat "$work/precious")" = precious ] || failed "the log went through a link"
[ ! -e "$work/nothing-yet" ] || failed "the log made a file through a link"

# Descriptors: of all that a program gets by each backend, a command would inherit none.
cat >"$work/descriptors.c" <<'END'
#include <stdio.h>
#include <fcntl.h>
#include <unistd.h>
#include "writewatch.h"
int main(void)
{
    int fd, flags, ret = 0, open = 0;
    char *memory, before[1024];
    void *pages[16];
    ULONG_PTR count = 16;
    DWORD granularity;

    for (fd = 3; fd < 1024; fd++) before[fd] = fcntl( fd, F_GETFD ) != -1;
    memory = VirtualAlloc( NULL, 0x10000, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    if (!memory) return 77;
    memory[0] = 1;
    if (GetWriteWatch( 1, memory, 0x10000, pages, &count, &granularity ) || count != 1) return 1;
    for (fd = 3; fd < 1024; fd++)
    {
        if (before[fd] || (flags = fcntl( fd, F_GETFD )) == -1) continue;
        open++;
        if (flags & FD_CLOEXEC) continue;
        printf( "descriptor %d would be inherited\n", fd );
        ret = 1;
    }
    printf( "%s: %d descriptors\n", writewatch_backend(), open );
    return open ? ret : 1;
}
END
${CC:-cc} -I"$top_srcdir/include" -o "$work/descriptors" "$work/descriptors.c" \
    "$top_builddir/libwritewatch.a" -pthread || exit 1
for backend in $all_backends; do
    WRITEWATCH_BACKEND=$backend "$work/descriptors"
    case $? in
    0|77) ;;
    *) failed "$backend leaves descriptors to commands" ;;
    esac
done

# Set-user-id programs
if [ "$(id -u)" -ne 0 ]; then
    [ $failures -eq 0 ] || exit 1
    echo "all but set-user-id programs, which only root can make, is as it should be"
    exit 77
fi
user="setpriv --reuid 65534 --regid 65534 --clear-groups"
cp "$exact" "$work/exact"
chmod 755 "$work/exact"
$user env WRITEWATCH_BACKEND=magic "$work/exact" >/dev/null 2>&1 &&
    failed "WRITEWATCH_BACKEND has no effect in a plain program"
mkdir -m 777 "$work/shared"
$user env WRITEWATCH_LOG="$work/shared/plain" $load
[ -s "$work/shared/plain" ] || failed "a plain program of a user writes no log"
chmod u+s "$work/loader" "$work/exact"
if [ "$($user "$work/loader" "$work/lib/ntdll.so" && $user sh -c 'id -u')" != 65534 ] ||
    findmnt -no OPTIONS -T "$work" 2>/dev/null | grep -qw nosuid; then
    echo "set-user-id programs have no effect in $work"
    exit 77
fi
$user env WRITEWATCH_BACKEND=magic "$work/exact" >/dev/null ||
    failed "WRITEWATCH_BACKEND is honoured in a set-user-id program"
$user env WRITEWATCH_LOG="$work/shared/log" WRITEWATCH_STATS=1 $load
[ ! -e "$work/shared/log" ] || failed "a set-user-id program writes a log"
# the loader leaves out what is preloaded by a path
$user env LD_PRELOAD="$preload" WRITEWATCH_LOG="$work/shared/log2" "$work/exact" >/dev/null 2>&1
[ ! -e "$work/shared/log2" ] || failed "a set-user-id program is preloaded"

[ $failures -eq 0 ]
