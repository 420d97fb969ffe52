/*
 * The comparison of backends: what one found out, and what is needed for that
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef BENCH_BACKENDS_TOOLS_H
#define BENCH_BACKENDS_TOOLS_H

#include <stddef.h>
#include <stdint.h>

struct tracker;

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
    unsigned long lost;            /* pages that were written and not reported */
    unsigned long extra;           /* pages that were reported and not written */
    long          split;           /* mappings more after every other page was written */
    unsigned long writes, polls;   /* of those that ran at the same time */
};

/* memory that is not watched */
extern char *plain_allocate( const struct tracker *tracker, size_t size );
extern void plain_release( char *base, size_t size );

extern size_t page_size;
extern uint64_t now_ns(void);
/* of at least one value; sorts them */
extern double median( double *values, unsigned int count );
extern unsigned int next_random( uint64_t *state );
extern int fail( struct findings *findings, const char *format, ... )
    __attribute__((format( printf, 2, 3 )));

#endif /* BENCH_BACKENDS_TOOLS_H */
