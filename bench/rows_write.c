/*
 * The benchmark: what a write costs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "bench.h"
#include "system.h"
#include "target.h"

#define TIMES 3

/* Time is taken piece by piece: one during which the thread lost its processor does not count. */
#define PIECE ((size_t)512)

/* ns a page, of writing the pages with these numbers, or all of them for NULL, by write_all() */
static double time_writes( char *base, const uint32_t *order, size_t pages,
                           void (*write_all)( void *, size_t, size_t ) )
{
    double times[(256 * MIB) / PAGE_SIZE / PIECE], start;
    size_t i, count, done;

    for (i = done = 0; done < pages; i++, done += count)
    {
        count = pages - done < 2 * PIECE ? pages - done : PIECE;
        start = now_ns();
        if (order) write_chosen( base, order + done, count );
        else write_all( base + done * PAGE_SIZE, count * PAGE_SIZE, 1 );
        times[i] = (now_ns() - start) / count;
    }
    return lowest_tenth( times, i );
}

/* memory that is watched and memory that is not, in turns */
static void time_first( const char *watched_row, const char *plain_row,
                        void (*write_all)( void *, size_t, size_t ) )
{
    size_t size = scaled( 256 * MIB ), pages = size / PAGE_SIZE;
    double watched[TIMES], plain[TIMES];
    unsigned int i;

    for (i = 0; i < repeats( TIMES ); i++)
    {
        void *base = alloc_watched( size );

        watched[i] = time_writes( base, NULL, pages, write_all );
        free_memory( base, size );

        base = alloc_plain( size );
        plain[i] = time_writes( base, NULL, pages, write_all );
        free_memory( base, size );
    }
    emit( watched_row, lowest_tenth( watched, i ), "ns" );
    emit( plain_row, lowest_tenth( plain, i ), "ns" );
}

/***********************************************************************
 *           first_write
 *
 * The first access of a page reads it, as that of a counter does, or stores. A read maps the shared
 * page of zeros where there is one, so that the write is a second fault.
 */
void first_write(void)
{
    time_first( "first_write_256m", "first_write_unwatched_256m", write_pages );
    time_first( "first_store_256m", "first_store_unwatched_256m", store_pages );
}

/***********************************************************************
 *           rewrite
 *
 * Every page in order, and scattered ones, of memory that is all there and was reset.
 */
void rewrite(void)
{
    size_t size = scaled( 256 * MIB ), pages = size / PAGE_SIZE, chosen = pages / 100 + 1;
    double all[TIMES], scattered[3 * TIMES];
    void *base = alloc_watched( size );
    uint32_t *order = page_order( pages );
    uint64_t state = 1;
    unsigned int i;

    write_pages( base, size, 1 );
    for (i = 0; i < repeats( TIMES ); i++)
    {
        reset_pages( base, size, FULL );
        all[i] = time_writes( base, NULL, pages, write_pages );
    }
    emit( "rewrite_256m", lowest_tenth( all, i ), "ns" );
    for (i = 0; i < repeats( 3 * TIMES ); i++)
    {
        reset_pages( base, size, FULL );
        shuffle( order, pages, chosen, &state );
        scattered[i] = time_writes( base, order, chosen, write_pages );
    }
    emit( "rewrite_random_256m", lowest_tenth( scattered, i ), "ns" );
    free( order );
    free_memory( base, size );
}
