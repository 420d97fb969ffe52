/*
 * What writing, polling and resetting costs with one backend
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "backends_parts.h"

#define CHUNK      32         /* pages */
#define REPEAT      3         /* of what writes */
#define SAMPLES   101         /* of what only polls, if there are so many */
#define CLEAN_NS  5000000     /* in such a time */

/***********************************************************************
 *           write_all
 *
 * Writes one byte of each page; returns the nanoseconds of a page, the median of small chunks:
 * the time that other threads had the processor shall not count.
 */
static double write_all( char *base, size_t pages )
{
    double *times = malloc( (pages / CHUNK + 1) * sizeof(*times) ), ret;
    unsigned int count = 0;
    size_t i = 0, first;

    if (!times) abort();
    while (i < pages)
    {
        uint64_t start = now_ns();

        for (first = i; i < pages && i < first + CHUNK; i++)
            ((volatile char *)base)[i * page_size] = 1;
        times[count++] = (double)(now_ns() - start) / (i - first);
    }
    ret = median( times, count );
    free( times );
    return ret;
}


/***********************************************************************
 *           timed_polls
 *
 * The nanoseconds of a poll, of some in a row. Returns -1 if one failed; how many pages they report
 * is no business of a clock.
 */
static int timed_polls( const struct tracker *tracker, char *addr, size_t pages, void **results,
                        unsigned int count, double *time )
{
    uint64_t start = now_ns();
    unsigned int i;

    for (i = 0; i < count; i++)
        if (tracker->poll( addr, pages * page_size, results ) < 0) return -1;
    *time = (double)(now_ns() - start) / count;
    return 0;
}


/***********************************************************************
 *           clean_polls
 *
 * The nanoseconds of a poll that has nothing to report.
 */
static int clean_polls( const struct tracker *tracker, char *addr, size_t pages, void **results,
                        double *cost )
{
    const unsigned int batch = 4;   /* the clock costs something, too */
    double times[SAMPLES], all = 0;
    unsigned int count;

    for (count = 0; count < 5 || (count < SAMPLES && all < CLEAN_NS); count++)
    {
        if (timed_polls( tracker, addr, pages, results, batch, &times[count] )) return -1;
        all += times[count] * batch;
    }
    *cost = median( times, count );
    return 0;
}


/***********************************************************************
 *           measure_polls
 */
static int measure_polls( const struct tracker *tracker, char *base, size_t pages, void **results,
                          double *cost )
{
    size_t i, few = pages / 100 ? pages / 100 : 1;
    double writes[REPEAT], polls[REPEAT];
    uint64_t random = now_ns();
    unsigned int turn;

    /* the first one may still find page tables to be made */
    if (tracker->poll( base, pages * page_size, results ) < 0) return -1;
    for (turn = 0; turn < REPEAT; turn++)
    {
        writes[turn] = write_all( base, pages );
        if (timed_polls( tracker, base, pages, results, 1, &polls[turn] )) return -1;
    }
    cost[REWRITE]  = median( writes, REPEAT );
    cost[POLL_ALL] = median( polls, REPEAT ) / pages;

    if (clean_polls( tracker, base, pages, results, &cost[POLL_CLEAN] )) return -1;
    cost[POLL_CLEAN] /= pages;
    if (clean_polls( tracker, base + pages / 2 * page_size, 0x10000 / page_size, results,
                     &cost[POLL_64K] )) return -1;

    for (turn = 0; turn < REPEAT; turn++)
    {
        for (i = 0; i < few; i++)
            ((volatile char *)base)[next_random( &random ) % pages * page_size] = 2;
        if (timed_polls( tracker, base, pages, results, 1, &polls[turn] )) return -1;
    }
    cost[POLL_ONE_PERCENT] = median( polls, REPEAT ) / pages;
    return 0;
}


/***********************************************************************
 *           measure_costs
 */
int measure_costs( const struct tracker *tracker, size_t pages, struct findings *findings )
{
    void **results = malloc( pages * sizeof(*results) );
    char *base;
    int ret = 0;

    /* every row is to find memory that was just freed: the machine may have to fetch other one */
    if ((base = plain_allocate( tracker, pages * page_size )))
    {
        write_all( base, pages );
        plain_release( base, pages * page_size );
    }

    base = tracker->allocate( tracker, pages * page_size );
    if (!base || !results) return fail( findings, "it could not have memory" );
    findings->cost[FIRST_WRITE] = write_all( base, pages );
    if (tracker->poll && (ret = measure_polls( tracker, base, pages, results, findings->cost )))
        fail( findings, "a poll failed while costs were measured" );
    tracker->release( base, pages * page_size );
    free( results );
    return ret;
}
