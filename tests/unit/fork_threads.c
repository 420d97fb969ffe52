/*
 * Children by fork() of a process whose other threads write, ask and watch meanwhile
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: fork_threads [NAME...]    all that main() names if none is
 */

#include <pthread.h>

#include "fork.h"

static int stop;
static struct memory busy;   /* written and asked about by threads all the time */

static void *poll_busy( void *arg )
{
    unsigned char reported[PAGES];
    size_t i = 0;

    (void)arg;
    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
    {
        __atomic_store_n( busy.base + bytes( i++ % PAGES ), 1, __ATOMIC_RELAXED );
        if (ask( &busy, 0, PAGES, 1, reported ) < 0) check( 0 );
    }
    return NULL;
}

static void *change_watches( void *arg )
{
    (void)arg;
    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
    {
        char *allocated = VirtualAlloc( NULL, bytes( 32 ), MEM_COMMIT | MEM_RESERVE |
                                        MEM_WRITE_WATCH, PAGE_READWRITE );
        char *own = mmap( NULL, bytes( 32 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0 );

        check( allocated && own != MAP_FAILED && !writewatch_watch( own, bytes( 32 )));
        *own = *allocated = 1;
        check( VirtualFree( allocated, bytes( 8 ), MEM_DECOMMIT ));
        check( !writewatch_unwatch( own + bytes( 8 ), bytes( 8 )));
        writewatch_unwatch( own, bytes( 32 ));
        check( VirtualFree( allocated, 0, MEM_RELEASE ));
        munmap( own, bytes( 32 ));
    }
    return NULL;
}

/* Whatever other threads are in the middle of, the child works. */
static void test_threads(void)
{
    void *(* const work[])( void * ) = { poll_busy, poll_busy, change_watches, change_watches };
    pthread_t threads[4];
    unsigned char reported[PAGES];
    unsigned int round, rounds = unit_share( 200 ), failed = 0;
    size_t i;
    pid_t pid;

    busy.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH,
                              PAGE_READWRITE );
    memset( busy.committed, 1, PAGES );
    for (i = 0; i < 4; i++) check( !pthread_create( &threads[i], NULL, work[i], NULL ));
    for (round = 0; round < rounds && failed < 3; round++)
    {
        if (!(pid = start_child()))
        {
            struct memory own = { .allocated = 0 };

            /* others may have reset it just before, so only that it is allowed is known */
            check( ask( &busy, 0, PAGES, 1, reported ) >= 0 );
            for (i = 0; i < PAGES; i += 3) write_page( &busy, i );
            compare( &busy, 0, PAGES, 1, "child among threads" );
            compare( &busy, 0, PAGES, 0, "child among threads" );
            own.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_COMMIT | MEM_RESERVE |
                                     MEM_WRITE_WATCH, PAGE_READWRITE );
            write_page( &own, 2 );
            compare( &own, 0, PAGES, 1, "child among threads" );
            check( VirtualFree( own.base, 0, MEM_RELEASE ));
            check( VirtualFree( busy.base, 0, MEM_RELEASE ));
            _exit( unit_result() );
        }
        if (!passed( pid )) failed++;
    }
    __atomic_store_n( &stop, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < 4; i++) pthread_join( threads[i], NULL );
    check( !failed );
    check( ask( &busy, 0, PAGES, 1, reported ) >= 0 );
    for (i = 0; i < PAGES; i += 5) write_page( &busy, i );
    compare( &busy, 0, PAGES, 1, "parent of many" );
    steps( 50, STEPS, "parent of many" );
    printf( "%s: %u children among threads\n", backend, round );
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( backend )) return unit_skip( backend, writewatch_reason() );
    page_init();
    open_memories();
    test_threads();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_SCAN_UNMARKED | UNIT_SCAN_MARKED | UNIT_FAULTS |
                              UNIT_SOFTDIRTY, run );
}
