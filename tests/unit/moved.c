/*
 * Pages that the kernel moves about while queries reset them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kernel is made to compact its memory all the time, which needs root. A page that is on its
 * way when it is reset must not be reported again by the next query: see protect_moving() in
 * dlls/ntdll/unix/scan/ask.c. That is promised for the exact query only; with --full-blocks the
 * quick one has its turn, and how often it reports a page again is only printed.
 */

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "engine/watch.h"
#include "nt_types.h"
#include "scan/blocks.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES   1024
#define BALLAST ((size_t)512 << 20 >> page_shift)  /* pages; every other one is given back */
#define ROUNDS  200     /* between two times */
#define SECONDS 12

static int stopping;

static void *compact( void *arg )
{
    int fd = *(int *)arg;

    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
        if (write( fd, "1", 1 ) != 1) break;
    return NULL;
}

/* how many pages the kernel has moved since it was started */
static unsigned long long pages_moved(void)
{
    unsigned long long count = 0;
    FILE *file = fopen( "/proc/vmstat", "r" );
    char line[128];

    if (!file) return 0;
    while (fgets( line, sizeof(line), file ))
        if (sscanf( line, "pgmigrate_success %llu", &count ) == 1) break;
    fclose( file );
    return count;
}

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

/* leaves free pages single, so that new ones will be scattered, and worth moving */
static void scatter_free_pages( char *ballast )
{
    size_t i;

    for (i = 0; i < BALLAST; i++) ballast[bytes( i )] = 1;
    for (i = 0; i < BALLAST; i += 2)
        check( !madvise( ballast + bytes( i ), page_size(), MADV_DONTNEED ));
}

static unsigned int poll_all( char *base, size_t size, int reset )
{
    static void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    check( !get_write_watch( reset, base, size, addresses, &count, &granularity ));
    return count;
}

/* all pages, which does not change that there is a page everywhere */
static void write_all( char *base )
{
    size_t i;

    for (i = 0; i < PAGES; i++) base[bytes( i )]++;
}

int main( int argc, char *argv[] )
{
    int full_blocks = argc > 1 && !strcmp( argv[1], "--full-blocks" );
    size_t size;
    unsigned int rounds = 0, again = 0;
    unsigned long long moved = pages_moved();
    time_t end = time( NULL ) + SECONDS;
    char reason[160], *base, *ballast;
    pthread_t thread;
    int fd;

    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    if ((fd = open( "/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC )) == -1)
    {
        printf( "the kernel cannot be made to move pages: /proc/sys/vm/compact_memory\n" );
        return SKIP;
    }
    if (!full_blocks) block_limits.min_size = ~(size_t)0;
    size = bytes( PAGES );

    ballast = mmap( NULL, bytes( BALLAST ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0 );
    check( ballast != MAP_FAILED && !madvise( ballast, bytes( BALLAST ), MADV_NOHUGEPAGE ));
    check( !pthread_create( &thread, NULL, compact, &fd ));
    do
    {
        if (!(rounds % ROUNDS)) scatter_free_pages( ballast );
        base = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
        check( base != MAP_FAILED && !watch_add( base, size ) && !watch_commit( base, size ));
        write_all( base );
        check( poll_all( base, size, 1 ) == PAGES );
        if (full_blocks)
        {
            write_all( base );
            check( poll_all( base, size, 1 ) == PAGES );
        }
        again += poll_all( base, size, 0 );
        watch_remove( base, size );
        munmap( base, size );
        rounds++;
    }
    while (time( NULL ) < end);
    __atomic_store_n( &stopping, 1, __ATOMIC_RELAXED );
    pthread_join( thread, NULL );

    moved = pages_moved() - moved;
    printf( "%u rounds, %llu pages moved, %u of %llu reported again\n", rounds, moved, again,
            (unsigned long long)rounds * PAGES );
    check( full_blocks || !again );
    if (!unit_failures && !moved)
    {
        printf( "the kernel moved no page\n" );
        return SKIP;
    }
    return unit_result();
}
