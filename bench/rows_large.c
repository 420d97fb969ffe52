/*
 * The benchmark: large regions, and other threads that want memory meanwhile
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "bench.h"
#include "system.h"
#include "target.h"

#define TIMES 15

/***********************************************************************
 *           poll_sparse
 *
 * What a collector does that reserves the memory of all its life at once: 64 GiB, of which 64
 * pieces of 1 MiB, far apart, are committed and written: 16384 pages. Get with reset over all of
 * it, and release. The other reservations only give times, each at fresh addresses (see
 * time_alloc).
 */
void poll_sparse(void)
{
    size_t size = scaled( 64 * GIB ), piece = scaled( 1 * MIB ), pages = 64 * piece / PAGE_SIZE;
    void **addresses;
    double times[TIMES], start;
    unsigned int i, j;
    char *base, *others[5];

    if (!fits( 64 * GIB )) return;
    addresses = address_array( 64 * piece );
    for (i = 0; i < repeats( 5 ); i++)
    {
        start = now_ns();
        others[i] = reserve_watched( size );
        times[i] = (now_ns() - start) / 1e6;
    }
    emit( "reserve_64g", lowest_tenth( times, i ), "ms" );
    /* cppcheck-suppress uninitvar ; it is repeated at least once */
    base = others[0];
    while (i > 1) free_memory( others[--i], size );

    for (j = 0; j < 64; j++) commit_pages( base + size / 64 * j, piece );
    for (i = 0; i < repeats( TIMES ); i++)
    {
        for (j = 0; j < 64; j++) write_pages( base + size / 64 * j, piece, 1 );
        start = now_ns();
        if (poll_pages( base, size, 1, SPARSE, addresses, pages ) != pages) fail( "a poll" );
        times[i] = (now_ns() - start) / 1000;
    }
    emit( "sparse_64g", lowest_tenth( times, i ), "us" );
    free( addresses );
    start = now_ns();
    free_memory( base, size );
    emit( "release_64g", (now_ns() - start) / 1e6, "ms" );
}

/***********************************************************************
 *           poll_untouched
 *
 * Get with reset of 4 GiB that were never touched.
 */
void poll_untouched(void)
{
    size_t size = scaled( 4 * GIB ), max = size / PAGE_SIZE;
    void *base, **addresses;
    unsigned int i, j, count = repeats( 100 );
    double times[TIMES], start;

    if (!fits( 4 * GIB )) return;
    base = alloc_watched( size );
    addresses = address_array( size );
    for (i = 0; i < repeats( TIMES ); i++)
    {
        start = now_ns();
        for (j = 0; j < count; j++)
            if (poll_pages( base, size, 1, SPARSE, addresses, max )) fail( "a poll" );
        times[i] = (now_ns() - start) / 1000 / count;
    }
    emit( "untouched_4g", lowest_tenth( times, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           poll_4g
 *
 * Get with reset of memory that is all there and clean.
 */
void poll_4g(void)
{
    size_t size = scaled( 4 * GIB ), max = size / PAGE_SIZE;
    void *base, **addresses;
    double times[TIMES], start;
    unsigned int i;

    if (!fits( 4 * GIB )) return;
    base = alloc_watched( size );
    addresses = address_array( size );
    write_pages( base, size, 1 );
    reset_pages( base, size, FULL );
    for (i = 0; i < 3; i++)
        if (poll_pages( base, size, 1, FULL, addresses, max )) fail( "a clean poll" );
    for (i = 0; i < repeats( TIMES ); i++)
    {
        start = now_ns();
        poll_pages( base, size, 1, FULL, addresses, max );
        times[i] = (now_ns() - start) / 1000;
    }
    emit( "clean_4g", lowest_tenth( times, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

/* what the other thread does, and for how long at most it waited (ns) */
struct other
{
    int    stop;
    int    running;
    double worst;
};

static void allocate_and_free( void *arg )
{
    struct other *other = arg;

    while (!__atomic_load_n( &other->stop, __ATOMIC_ACQUIRE ))
    {
        double start = now_ns(), time;

        free_memory( alloc_plain( 64 * KIB ), 64 * KIB );
        time = now_ns() - start;
        if (time > other->worst) other->worst = time;
        __atomic_store_n( &other->running, 1, __ATOMIC_RELEASE );
    }
}

/***********************************************************************
 *           other_thread
 *
 * A reset of 4 GiB that are all written, alone and while another thread allocates and frees plain
 * memory without a break. What that thread waits when there is no reset, for as long, tells how
 * much of it is the machine's.
 */
void other_thread(void)
{
    size_t size = scaled( 4 * GIB );
    void *base;
    struct other other = { 0, 0, 0 }, idle = { 0, 0, 0 };
    struct thread *thread;
    double start, quiet, busy;

    if (!fits( 4 * GIB )) return;
    base = alloc_watched( size );
    write_pages( base, size, 1 );
    reset_pages( base, size, FULL );   /* the first one may be another matter */
    write_pages( base, size, 1 );
    start = now_ns();
    reset_pages( base, size, FULL );
    quiet = now_ns() - start;

    write_pages( base, size, 1 );
    thread = start_thread( allocate_and_free, &other );
    while (!__atomic_load_n( &other.running, __ATOMIC_ACQUIRE )) sleep_ms( 1 );
    other.worst = 0;
    start = now_ns();
    reset_pages( base, size, FULL );
    busy = now_ns() - start;
    __atomic_store_n( &other.stop, 1, __ATOMIC_RELEASE );
    join_thread( thread );

    thread = start_thread( allocate_and_free, &idle );
    sleep_ms( busy / 1e6 + 1 );
    __atomic_store_n( &idle.stop, 1, __ATOMIC_RELEASE );
    join_thread( thread );

    emit( "reset_4g", quiet / 1e6, "ms" );
    emit( "reset_4g_busy", busy / 1e6, "ms" );
    emit( "wait_4g", other.worst / 1e6, "ms" );
    emit( "wait_idle", idle.worst / 1e6, "ms" );
    free_memory( base, size );
}
