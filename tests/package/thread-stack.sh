#!/bin/sh
# A program that makes a thread of memory that it watches already, with the shared library: the thread
# does its work and is reported, or pthread_create() fails with the reason. The first binary was made
# without the library in sight, as one of its own libraries would be.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
. "$top_srcdir/tests/tools/backends"
CC=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-stack.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset LD_PRELOAD LD_LIBRARY_PATH

cat >"$work/begin.c" <<'END'
#include <pthread.h>
int begin( pthread_t *thread, const pthread_attr_t *attr, void *(*start)( void * ) )
{
    return pthread_create( thread, attr, start, 0 );
}
END
cat >"$work/main.c" <<'END'
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <writewatch.h>

#define PAGES 64
#define PAGE  16384

int begin( pthread_t *thread, const pthread_attr_t *attr, void *(*start)( void * ) );

static void *use( void *arg )
{
    volatile char data[2 * PAGE];
    int i;

    for (i = 0; i < 2 * PAGE; i += 512) data[i] = 1;
    return arg;
}

int main( void )
{
    char *stack = mmap( NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0 );
    void *pages[PAGES * 4];
    ULONG_PTR count = PAGES * 4;
    DWORD granularity;
    pthread_attr_t attr;
    pthread_t thread;
    int ret;

    if (stack == MAP_FAILED) return 1;
    memset( stack, 1, PAGES * PAGE );
    if (writewatch_open( NULL )) { puts( writewatch_reason() ); return 77; }
    if (writewatch_watch( stack, PAGES * PAGE )) { puts( writewatch_reason() ); return 1; }
    pthread_attr_init( &attr );
    pthread_attr_setstack( &attr, stack, PAGES * PAGE );
    if ((ret = begin( &thread, &attr, use )))
    {
        printf( "refused: %d, %s\n", ret, writewatch_reason() );
        return ret == EDEADLK && strstr( writewatch_reason(), "its stack is watched" ) ? 2 : 1;
    }
    pthread_join( thread, NULL );
    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, stack, PAGES * PAGE, pages, &count, &granularity ))
        return 1;
    printf( "%d pages written\n", (int)count );
    return count < 3;
}
END
$CC -shared -fPIC -o "$work/libbegin.so" "$work/begin.c" -pthread || exit 1
$CC -I"$top_srcdir/include" -o "$work/main" "$work/main.c" -L"$top_builddir" -lwritewatch \
    -L"$work" -lbegin -Wl,-rpath,"$top_builddir:$work" -pthread || exit 1

count=0
for backend in $all_backends; do
    case $backend in
    sigbus|mprotect) wanted=2 ;;
    *) wanted=0 ;;
    esac
    out=$(WRITEWATCH_BACKEND=$backend timeout 60 "$work/main")
    status=$?
    echo "$backend: $status, $out"
    [ $status -ne 77 ] || continue
    count=$((count + 1))
    [ $status -eq $wanted ] || { echo "not $wanted"; exit 1; }
done
[ $count -ne 0 ] || exit 77
