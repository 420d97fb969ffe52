/*
 * The benchmark: polls of pages that were written and then decommitted, and of few written pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "bench.h"
#include "system.h"
#include "target.h"

#define TIMES   25
#define BATCHES 500   /* of calls so short that one cannot be timed */

static void poll_all( void *base, size_t size, int reset, enum contents contents, void **addresses )
{
    size_t pages = size / PAGE_SIZE;

    if (poll_pages( base, size, reset, contents, addresses, pages ) != pages) fail( "a poll" );
}

/***********************************************************************
 *           poll_saved
 *
 * Pages that were written before they were decommitted are written still (row 15 of
 * docs/windows-rules.md), without the kernel's help. The pages are decommitted while they are asked
 * for.
 */
void poll_saved(void)
{
    size_t size = scaled( 8 * MIB );
    void *base = alloc_watched( size ), **addresses = address_array( size );
    unsigned int i, j, count = repeats( 20 );
    double keep[TIMES], reset[TIMES], start;

    for (i = 0; i < repeats( TIMES ); i++)
    {
        commit_pages( base, size );
        write_pages( base, size, 1 );
        decommit_pages( base, size );
        start = now_ns();
        for (j = 0; j < count; j++) poll_all( base, size, 0, SAVED, addresses );
        keep[i] = (now_ns() - start) / 1000 / count;
        start = now_ns();
        poll_all( base, size, 1, SAVED, addresses );
        reset[i] = (now_ns() - start) / 1000;
    }
    emit( "saved_2048", lowest_tenth( keep, i ), "us" );
    emit( "saved_2048_reset", lowest_tenth( reset, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           time_again
 *
 * Get without reset, once more, when everything was written and is there.
 */
static void time_again( const char *name, size_t size, unsigned int count )
{
    void *base = alloc_watched( size ), **addresses = address_array( size );
    double times[BATCHES], start;
    unsigned int i, j;

    count = repeats( count );
    write_pages( base, size, 1 );
    for (i = 0; i < 10; i++) poll_all( base, size, 0, SPARSE, addresses );
    for (i = 0; i < repeats( BATCHES ); i++)
    {
        start = now_ns();
        for (j = 0; j < count; j++) poll_all( base, size, 0, WRITTEN, addresses );
        times[i] = (now_ns() - start) / 1000 / count;
    }
    emit( name, lowest_tenth( times, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           poll_again_small
 */
void poll_again_small(void)
{
    time_again( "again_16", 64 * KIB, 300 );
    time_again( "again_64", 256 * KIB, 200 );
    time_again( "again_2048", scaled( 8 * MIB ), 50 );
}
