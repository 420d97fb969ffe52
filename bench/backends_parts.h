/*
 * The comparison of backends: its parts, each in a file of its own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef BENCH_BACKENDS_PARTS_H
#define BENCH_BACKENDS_PARTS_H

#include "backends_tools.h"

/* Something that reports which pages were written: a row of the table. */
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
    /* reports the written pages in order and resets them; returns how many, or -1. NULL
     * if it only serves to compare writes with */
    long   (*poll)( char *addr, size_t size, void **results );
};

extern const struct tracker trackers[];
extern const unsigned int tracker_count;

/* Each returns 0, or -1 with the reason in the findings. */
extern int measure_costs( const struct tracker *tracker, size_t pages, struct findings *findings );
extern int check_patterns( const struct tracker *tracker, size_t pages, struct findings *findings );
extern int check_race( const struct tracker *tracker, size_t pages, unsigned int milliseconds,
                       struct findings *findings );

#define RACE_PAGES 4096   /* at most */

#endif /* BENCH_BACKENDS_PARTS_H */
