/*
 * Which memory is watched: an ordered index of regions that is read without a lock
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_REGION_H
#define WRITEWATCH_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "engine/backend.h"
#include "engine/counters.h"
#include "engine/marks.h"
#include "engine/watch.h"

enum region_state
{
    REGION_OPEN,
    REGION_CLOSED,   /* it is being set up, or its written state is on the move: steps wait */
    REGION_GONE,     /* another region may have taken its place */
};

#define LOST_MARKS  1u   /* a page could not be marked: until all of the region is reset */
#define LOST_MEMORY 2u   /* a part is no longer watched: forever */

#define REGION_DATA_SIZE 144

/* One MEM_WRITE_WATCH reservation, or what is left of it. Never unmapped, so that a late reader or
 * step finds valid memory; reused only when no thread uses it. */
struct watch_region
{
    uintptr_t            base;
    uintptr_t            end;
    unsigned int         readers;    /* threads that use it outside of steps, see region_get() */
    unsigned int         first_step; /* steps of queries in progress (region_step.h): one, */
    unsigned int         steps;      /* and the number of others */
    enum region_state    state;      /* whether steps may begin */
    unsigned int         lost;       /* LOST_* flags: queries fail */
    struct page_marks   *marks;      /* NULL until the first page is marked */
    const struct watch_backend *backend;
    enum memory_kind     kind;
    unsigned int         shift;     /* log2 of the granularity: pages or huge pages */
    unsigned int         unadvised; /* whether it lacks MADV_NOHUGEPAGE */
    struct region_counters *counters; /* NULL: nothing is counted */
    uint64_t             trackers;  /* the trackers of its pages: one bit each (track/) */
    struct watch_region *next;      /* in the list of free ones */
    /* what the backend keeps about the region; all zero before attach() */
    uint64_t             backend_data[REGION_DATA_SIZE / 8] __attribute__((aligned(16)));
};

/* for the backend: REGION_DATA( type, region ) is what it keeps */
#define REGION_DATA_SIZE_FITS( type ) \
    _Static_assert( sizeof(type) <= REGION_DATA_SIZE, "backend_data is too small" )
#define REGION_DATA( type, region ) ((type *)(region)->backend_data)

/* Readers: any thread, any time, no lock. The result of region_find() may become another region at
 * any moment: see region_enter(). region_get() holds it until region_put(). */
extern struct watch_region *region_find( uintptr_t start, uintptr_t end );
extern struct watch_region *region_get( uintptr_t start, uintptr_t end );
extern void region_put( struct watch_region *region );
extern int region_contains( uintptr_t start, uintptr_t end );
extern int region_overlaps( uintptr_t start, uintptr_t end );
extern int region_next( uintptr_t *start, uintptr_t *end );
extern struct page_marks *region_marks( struct watch_region *region );

extern void region_set_state( struct watch_region *region, enum region_state state );

/* Marks the pages of [start, end) as written, as they were found to be. If there is no memory for
 * the marks, queries fail until all of the region is reset. In a step, or under the change lock. */
extern void region_mark_written( struct watch_region *region, uintptr_t start, uintptr_t end );

/* The same for pages that a query has taken and cannot return: trackers know of them already. */
extern void region_put_back( struct watch_region *region, uintptr_t start, uintptr_t end );

/* Called for a new region, which is watched now; change lock held. NULL until there are
 * trackers. */
extern void (*region_added)( struct watch_region *region );

/* Writers: one at a time, under the change lock (host.h). */
extern struct watch_region *region_insert_as( uintptr_t start, uintptr_t end,
                                              const struct watch_backend *backend,
                                              enum memory_kind kind, unsigned int shift );
extern struct watch_region *region_insert( uintptr_t start, uintptr_t end,
                                           const struct watch_backend *backend );
extern int region_remove( uintptr_t start, uintptr_t end );
extern struct watch_region *region_first( uintptr_t start, uintptr_t end );

/* Under the same lock: the next region that is gone although a step in it has not ended (see
 * region_set_state()), after one of these or NULL. */
extern struct watch_region *region_next_gone( const struct watch_region *region );

/* Makes all queries of regions with a page in [start, end) fail from now on. Any thread,
 * no lock. */
extern void region_lose( uintptr_t start, uintptr_t end );

/* whether memory holds the index of regions, a region, or the marks of one, that a fault may have
 * to change */
extern int region_uses_memory( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_REGION_H */
