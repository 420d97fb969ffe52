/*
 * The benchmark: allocating, decommitting and releasing watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"
#include "system.h"
#include "target.h"

#define TIMES 25

/* What it takes to allocate a size, each time at addresses where nothing was before: Wine notes the
 * protection of each page in memory that it then touches for the first time. */
static double time_alloc( size_t size, unsigned int count )
{
    double times[TIMES], start;
    void *bases[TIMES];
    unsigned int i;

    for (i = 0; i < repeats( count ); i++)
    {
        start = now_ns();
        if (i && !fits( (i + 1) * (uint64_t)size )) break;
        bases[i] = alloc_watched( size );
        times[i] = (now_ns() - start) / 1000;
    }
    for (count = i, i = 0; i < count; i++) free_memory( bases[i], size );
    return lowest_tenth( times, count );
}

/***********************************************************************
 *           allocate
 *
 * First in a process, or the addresses are not fresh. The small region, on the contrary, is the
 * same one over and over.
 */
void allocate(void)
{
    unsigned int i, j, count = repeats( 50 );
    double times[TIMES], start;

    emit( "alloc_256m", time_alloc( scaled( 256 * MIB ), 15 ), "us" );
    if (fits( 4 * GIB )) emit( "alloc_4g", time_alloc( scaled( 4 * GIB ), 7 ), "us" );

    for (i = 0; i < repeats( TIMES ); i++)
    {
        start = now_ns();
        for (j = 0; j < count; j++) free_memory( alloc_watched( 64 * KIB ), 64 * KIB );
        times[i] = (now_ns() - start) / 1000 / count;
    }
    emit( "alloc_free_64k", lowest_tenth( times, i ), "us" );
}

/***********************************************************************
 *           time_recommit
 *
 * A part that is decommitted and committed again, over and over, with so many pages written
 * between.
 */
static double time_recommit( char *ptr, size_t part, size_t written )
{
    unsigned int i, j, count = repeats( 200 );
    double times[TIMES], start;

    for (i = 0; i < repeats( TIMES ); i++)
    {
        start = now_ns();
        for (j = 0; j < count; j++)
        {
            decommit_pages( ptr, part );
            commit_pages( ptr, part );
            write_pages( ptr, written * PAGE_SIZE, 1 );
        }
        times[i] = (now_ns() - start) / 1000 / count;
    }
    return lowest_tenth( times, i );
}

/***********************************************************************
 *           decommit
 *
 * A part of 64 KiB, all of it written, of a region of 16 MiB; committing and writing it again is
 * not counted.
 */
void decommit(void)
{
    size_t size = scaled( 16 * MIB ), part = 64 * KIB;
    unsigned int i, j, count = repeats( 50 );
    char *base = alloc_watched( size ), *ptr;
    double times[TIMES], start;

    for (i = 0; i < repeats( TIMES ); i++)
    {
        times[i] = 0;
        for (j = 0; j < count; j++)
        {
            ptr = base + j * part % size;
            commit_pages( ptr, part );
            write_pages( ptr, part, 1 );
            start = now_ns();
            decommit_pages( ptr, part );
            times[i] += (now_ns() - start) / 1000 / count;
        }
    }
    emit( "decommit_64k", lowest_tenth( times, i ), "us" );
    emit( "recommit_64k", time_recommit( base, part, 0 ), "us" );
    emit( "recommit_64k_1", time_recommit( base, part, 1 ), "us" );
    free_memory( base, size );
}
