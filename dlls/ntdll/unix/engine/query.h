/*
 * The engine: queries
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_QUERY_H
#define WRITEWATCH_QUERY_H

#include "engine/region_step.h"

/* A query, in uninterrupted code. It holds its region only in its steps. */
struct watch_query
{
    struct watch_region *region;    /* may become another one between steps */
    struct region_counters *counters;      /* of the region when the query began; or NULL */
    const struct watch_backend *backend;   /* both are the region's, which each step checks */
    unsigned int         shift;
    enum region_step     step;
    uint64_t             signals;   /* blocked before a step of a fault backend */
    uintptr_t            start;
    uintptr_t            end;
    uintptr_t            reached;   /* where the next step of watch_collect() begins */
    int                  reset;     /* argument of watch_collect() */
    void               **addresses;
    size_t               max;
    size_t               count;     /* of addresses stored */
};

extern int watch_begin( struct watch_query *query, uintptr_t start, uintptr_t end );
extern int watch_collect( struct watch_query *query, int reset, void **addresses, size_t max,
                          size_t *count );
extern void watch_undo( struct watch_query *query, void **addresses, size_t count );
extern void watch_undo_all( struct watch_query *query );
extern int watch_reset( struct watch_query *query );

/* for use in a step of a query (step.h) */
extern uint64_t watch_take_marked( struct watch_query *query, uintptr_t start, uintptr_t end,
                                   int *err );

#endif /* WRITEWATCH_QUERY_H */
