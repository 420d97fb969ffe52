#!/bin/sh
# A library that is being loaded calls the shared library from its constructor, with the loader's
# lock held, while another thread opens a backend that makes threads. That thread, as the first one
# here, is not made by the library's pthread_create(), which might look for the C library's then.
# It watches memory, too: that must not take the loader's lock either.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
CC=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-loader.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset LD_PRELOAD LD_LIBRARY_PATH WRITEWATCH_BACKEND

cat >"$work/loaded.c" <<'END'
#include <stdlib.h>
#include <sys/mman.h>
#include <writewatch.h>

extern int open_in_thread( void );

__attribute__((constructor)) static void begin( void )
{
    char *memory = mmap( NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    if (memory == MAP_FAILED) exit( 1 );
    if (!open_in_thread() && writewatch_watch( memory, 65536 )) exit( 1 );
}
END
cat >"$work/main.c" <<'END'
#include <dlfcn.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <threads.h>
#include <writewatch.h>

static sem_t go, done;
static int opened, watched;

static int open_backend( void *arg )
{
    char *memory = mmap( NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    while (sem_wait( &go )) {}
    opened = writewatch_open( arg );
    if (!opened) watched = writewatch_watch( memory, 65536 );
    sem_post( &done );
    return 0;
}

int open_in_thread( void )
{
    sem_post( &go );
    while (sem_wait( &done )) {}
    return opened;
}

int main( int argc, char *argv[] )
{
    thrd_t thread;

    if (argc != 3 || sem_init( &go, 0, 0 ) || sem_init( &done, 0, 0 )) return 1;
    if (thrd_create( &thread, open_backend, argv[2] ) != thrd_success) return 1;
    if (!dlopen( argv[1], RTLD_NOW )) { puts( dlerror() ); return 1; }
    thrd_join( thread, NULL );
    if (opened) { puts( writewatch_reason() ); return 77; }
    if (watched) { puts( writewatch_reason() ); return 1; }
    if (strcmp( writewatch_backend(), argv[2] )) { puts( writewatch_backend() ); return 1; }
    return 0;
}
END
$CC -I"$top_srcdir/include" -shared -fPIC -o "$work/libloaded.so" "$work/loaded.c" || exit 1
$CC -I"$top_srcdir/include" -rdynamic -o "$work/main" "$work/main.c" -L"$top_builddir" \
    -lwritewatch -Wl,-rpath,"$top_builddir" -pthread -ldl || exit 1

timeout 60 "$work/main" "$work/libloaded.so" thread
status=$?
[ $status -ne 124 ] || echo "the threads wait for each other"
exit $status
