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
#include "engine/marks.h"
#include "fault/fair_lock.h"
#include "scan/blocks.h"

/* One MEM_WRITE_WATCH reservation, or what is left of it. Never unmapped, so that a reader or a
 * step that comes late finds valid memory; used anew only when none is left. */
struct watch_region
{
    uintptr_t            base;
    uintptr_t            end;
    unsigned int         readers;    /* who looks at it outside of a step */
    unsigned int         first_step; /* steps of queries in progress (region_step.h): one, */
    unsigned int         steps;      /* and how many others */
    unsigned int         state;      /* whether they may begin */
    unsigned int         lost;      /* queries must fail: 1 until reset, 2 for ever */
    struct saved_pages  *saved;     /* NULL until the first page is saved */
    const struct watch_backend *backend;
    unsigned int         kind;      /* of memory */
    unsigned int         mapped_by_program; /* which may unmap it without a word */
    unsigned int         shift;     /* what is told apart, as a power of two: pages or huge pages */
    unsigned int         unadvised; /* whether the kernel was not told to use no huge pages */
    struct watch_region *next;      /* of the free ones */
    struct fair_lock     faults;    /* shared by faults, held by queries: see fault.c */
    struct region_blocks blocks;    /* what the backend knows of them */
    uint64_t             held_mask; /* signals that were blocked before a query held the region */
};

/* Readers: any thread, any time, no lock. What region_find() returns may become another region at
 * once: see region_enter(). With region_get() it is held until region_put(). */
extern struct watch_region *region_find( uintptr_t start, uintptr_t end );
extern struct watch_region *region_get( uintptr_t start, uintptr_t end );
extern void region_put( struct watch_region *region );
extern int region_contains( uintptr_t start, uintptr_t end );
extern int region_overlaps( uintptr_t start, uintptr_t end );
extern struct saved_pages *region_saved_pages( struct watch_region *region );

#define REGION_OPEN   0
#define REGION_CLOSED 1   /* it is being made, or written state is on the move: steps wait */
#define REGION_GONE   2   /* another region may have taken the place of this one */

extern void region_set_state( struct watch_region *region, unsigned int state );

/* What is known of the memory of a region before it is attached.
 * A backend may find out more then. */
#define REGION_FRESH     0   /* private anonymous memory that was never touched, as
                              * MEM_WRITE_WATCH is */
#define REGION_ANONYMOUS 1   /* private anonymous memory that may have pages, huge ones too */
#define REGION_MIXED     2   /* any, files and shared memory included */

/* Writers: one at a time, under the lock of watch_lock.h. */
extern struct watch_region *region_insert_as( uintptr_t start, uintptr_t end,
                                              const struct watch_backend *backend,
                                              unsigned int kind, unsigned int shift );
extern struct watch_region *region_insert( uintptr_t start, uintptr_t end,
                                           const struct watch_backend *backend );
extern int region_remove( uintptr_t start, uintptr_t end );
extern struct watch_region *region_first( uintptr_t start, uintptr_t end );

/* Makes all queries of regions with a page in [start, end) fail from now on. Any thread,
 * no lock. */
extern void region_lose( uintptr_t start, uintptr_t end );

/* whether memory holds a region, or a bitmap of one, that a fault may have to change */
extern int region_uses_memory( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_REGION_H */
