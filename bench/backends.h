/*
 * What the parts of the comparison of backends share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef BENCH_BACKENDS_H
#define BENCH_BACKENDS_H

#include <stddef.h>
#include <stdint.h>

/* Something that tells which pages were written: a row of the table. */
struct tracker
{
    const char *name;
    const char *note;      /* what it is, if it is none of the five backends */
    int         exact;     /* promises to lose nothing and to invent nothing */

    /* returns 0, or -1 with the reason why it cannot work here */
    int    (*open)( const struct tracker *tracker, char *reason, size_t len );
    /* pages that count as not written; NULL on failure */
    char  *(*allocate)( const struct tracker *tracker, size_t size );
    void   (*release)( char *base, size_t size );
    /* tells the written pages in order, and makes them not written; returns how many, or -1. NULL
     * if it only serves to compare writes with */
    long   (*poll)( char *addr, size_t size, void **results );
};

extern const struct tracker trackers[];
extern const unsigned int tracker_count;

enum cost
{
    FIRST_WRITE,           /* ns for each page, here and below where nothing else is said */
    REWRITE,               /* of pages that were made not written */
    POLL_CLEAN,
    POLL_ONE_PERCENT,
    POLL_ALL,
    POLL_64K,              /* ns for a call */
    COSTS
};

enum state { STATE_NOT_RUN, STATE_UNAVAILABLE, STATE_FAILED, STATE_DONE };

/* What one process with one tracker found out. */
struct findings
{
    enum state    state;
    char          reason[200];     /* unless done */
    double        cost[COSTS];
    unsigned long lost;            /* pages that were written and not told */
    unsigned long extra;           /* pages that were told and not written */
    long          split;           /* mappings more after every other page was written */
    unsigned long writes, polls;   /* of those that ran at the same time */
};

/* Each returns 0, or -1 with the reason in the findings. */
extern int measure_costs( const struct tracker *tracker, size_t pages, struct findings *findings );
extern int check_patterns( const struct tracker *tracker, size_t pages, struct findings *findings );
extern int check_race( const struct tracker *tracker, size_t pages, unsigned int milliseconds,
                       struct findings *findings );

#define RACE_PAGES 4096   /* at most */

/* memory that is not watched */
extern char *plain_allocate( const struct tracker *tracker, size_t size );
extern void plain_release( char *base, size_t size );

extern size_t page_size;
extern uint64_t nanoseconds(void);
/* of at least one value; sorts them */
extern double median( double *values, unsigned int count );
extern unsigned int next_random( uint64_t *state );
extern int fail( struct findings *findings, const char *format, ... )
    __attribute__((format( printf, 2, 3 )));

#endif /* BENCH_BACKENDS_H */
