/*
 * The benchmark: polls of small and middling regions
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

/***********************************************************************
 *           poll_empty_call
 *
 * What Wine takes to enter its side of the system and come back. Nothing natively.
 */
void poll_empty_call(void)
{
    unsigned int i, j, count = repeats( 1000 );
    double times[BATCHES], start;

    for (i = 0; i < repeats( BATCHES ); i++)
    {
        start = now_ns();
        for (j = 0; j < count; j++) if (!empty_call()) break;
        times[i] = j ? (now_ns() - start) / 1000 / count : 0;
    }
    emit( "empty_call", lowest_tenth( times, i ), "us" );
}

/***********************************************************************
 *           time_clean
 *
 * Get with reset when all pages are there and none was written since the last one. Ten polls go
 * before, as a program makes them; an engine may learn from them.
 */
static void time_clean( const char *name, size_t size, unsigned int count )
{
    enum contents contents = size < TABLE_SPAN ? SPARSE : FULL;
    void *base = alloc_watched( size ), **addresses = address_array( size );
    size_t max = size / PAGE_SIZE;
    double times[BATCHES], start;
    unsigned int i, j;

    count = repeats( count );
    write_pages( base, size, 1 );
    if (poll_pages( base, size, 1, contents, addresses, max ) != max) fail( "the first poll" );
    for (i = 0; i < 10; i++)
        if (poll_pages( base, size, 1, contents, addresses, max )) fail( "a clean poll" );
    for (i = 0; i < repeats( BATCHES ); i++)
    {
        start = now_ns();
        for (j = 0; j < count; j++) poll_pages( base, size, 1, contents, addresses, max );
        times[i] = (now_ns() - start) / 1000 / count;
    }
    emit( name, lowest_tenth( times, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

void poll_clean(void)
{
    time_clean( "clean_64k", 64 * KIB, 300 );
    time_clean( "clean_1m", scaled( 1 * MIB ), 200 );
    time_clean( "clean_16m", scaled( 16 * MIB ), 20 );
    time_clean( "clean_256m", scaled( 256 * MIB ), 2 );
    time_clean( "clean_1g", scaled( 1 * GIB ), 1 );
}

/***********************************************************************
 *           time_random
 *
 * Get with reset after chosen pages of a full range were written, which is not counted.
 */
static double time_random( void *base, size_t size, size_t chosen, unsigned int times,
                           void **addresses )
{
    size_t pages = size / PAGE_SIZE;
    uint32_t *order = page_order( pages );
    double values[TIMES], start;
    uint64_t state = chosen;
    unsigned int i;

    reset_pages( base, size, FULL );
    for (i = 0; i < repeats( times ); i++)
    {
        shuffle( order, pages, chosen, &state );
        write_chosen( base, order, chosen );
        start = now_ns();
        if (poll_pages( base, size, 1, FULL, addresses, pages ) != chosen) fail( "a poll" );
        values[i] = (now_ns() - start) / 1000;
    }
    free( order );
    return lowest_tenth( values, i );
}

/***********************************************************************
 *           poll_random
 */
void poll_random(void)
{
    size_t size = scaled( 256 * MIB ), pages = size / PAGE_SIZE;
    void *base = alloc_watched( size ), **addresses = address_array( size );

    write_pages( base, size, 1 );
    emit( "random_256m_0.1", time_random( base, size, pages / 1000 + 1, 25, addresses ), "us" );
    emit( "random_256m_1", time_random( base, size, pages / 100, 25, addresses ), "us" );
    emit( "random_256m_10", time_random( base, size, pages / 10, 9, addresses ), "us" );
    emit( "random_256m_100", time_random( base, size, pages, 5, addresses ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           poll_every_other
 *
 * The pattern that leaves no two neighbours alike: stock Wine comes to vm.max_map_count and hangs.
 */
void poll_every_other(void)
{
    size_t size = scaled( 256 * MIB ), pages = size / PAGE_SIZE;
    void *base = alloc_watched( size ), **addresses = address_array( size );
    double times[TIMES], start;
    unsigned int i;

    write_pages( base, size, 1 );
    reset_pages( base, size, FULL );
    for (i = 0; i < repeats( 5 ); i++)
    {
        write_pages( base, size, 2 );
        start = now_ns();
        if (poll_pages( base, size, 1, FULL, addresses, pages ) != pages / 2) fail( "a poll" );
        times[i] = (now_ns() - start) / 1000;
    }
    emit( "every_other_256m", lowest_tenth( times, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           poll_again
 *
 * Get without reset, once more, when everything was written.
 */
void poll_again(void)
{
    size_t size = scaled( 256 * MIB ), pages = size / PAGE_SIZE;
    void *base = alloc_watched( size ), **addresses = address_array( size );
    double times[TIMES], start;
    unsigned int i;

    write_pages( base, size, 1 );
    if (poll_pages( base, size, 0, FULL, addresses, pages ) != pages) fail( "the first poll" );
    for (i = 0; i < repeats( TIMES ); i++)
    {
        start = now_ns();
        if (poll_pages( base, size, 0, WRITTEN, addresses, pages ) != pages) fail( "a poll" );
        times[i] = (now_ns() - start) / 1000;
    }
    emit( "again_256m", lowest_tenth( times, i ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           poll_loop
 *
 * An array of 64, asked for again from behind the last page as long as it comes back full, with a
 * tenth of the pages written.
 */
void poll_loop(void)
{
    size_t size = scaled( 256 * MIB ), pages = size / PAGE_SIZE, chosen = pages / 10;
    size_t count, found;
    char *base = alloc_watched( size ), *ptr;
    uint32_t *order = page_order( pages );
    void *addresses[64];
    double times[TIMES], start;
    uint64_t state = 3;
    unsigned int i;

    write_pages( base, size, 1 );
    reset_pages( base, size, FULL );
    for (i = 0; i < repeats( 5 ); i++)
    {
        shuffle( order, pages, chosen, &state );
        write_chosen( base, order, chosen );
        start = now_ns();
        for (ptr = base, found = 0; ptr < base + size; ptr = (char *)addresses[63] + PAGE_SIZE)
        {
            count = poll_pages( ptr, base + size - ptr, 1, FULL, addresses, 64 );
            found += count;
            if (count < 64) break;
        }
        times[i] = (now_ns() - start) / 1000;
        if (found != chosen) fail( "the loop of polls" );
    }
    emit( "loop64_256m", lowest_tenth( times, i ), "us" );
    free( order );
    free_memory( base, size );
}
