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

enum region_state
{
    REGION_OPEN,
    REGION_CLOSED,   /* it is being made, or written state is on the move: steps wait */
    REGION_GONE,     /* another region may have taken the place of this one */
};

/* What is known of the memory of a region before it is attached. */
enum memory_kind
{
    REGION_FRESH,       /* private anonymous memory that was never touched: MEM_WRITE_WATCH */
    REGION_ANONYMOUS,   /* private anonymous memory that may have pages, huge ones too */
    REGION_MIXED,       /* any, files and shared memory included */
};

#define LOST_MARKS  1u   /* a page could not be marked: until all of the region is reset */
#define LOST_MEMORY 2u   /* some of it is not watched any more: for ever */

#define REGION_DATA_SIZE 144

/* One MEM_WRITE_WATCH reservation, or what is left of it. Never unmapped, so that a reader or a
 * step that comes late finds valid memory; used anew only when none is left. */
struct watch_region
{
    uintptr_t            base;
    uintptr_t            end;
    unsigned int         readers;    /* that use it outside of steps, see region_get() */
    unsigned int         first_step; /* steps of queries in progress (region_step.h): one, */
    unsigned int         steps;      /* and how many others */
    enum region_state    state;      /* whether steps may begin */
    unsigned int         lost;       /* LOST_* flags: queries fail */
    struct page_marks   *marks;      /* NULL until a page is marked for the first time */
    const struct watch_backend *backend;
    enum memory_kind     kind;
    unsigned int         shift;     /* what is told apart, as a power of two: pages or huge pages */
    unsigned int         unadvised; /* whether the kernel was not told to use no huge pages */
    struct watch_region *next;      /* of the free ones */
    /* what the backend keeps of the region; all zero before attach() */
    uint64_t             backend_data[REGION_DATA_SIZE / 8] __attribute__((aligned(16)));
};

/* for the backend: REGION_DATA( type, region ) is what it keeps */
#define REGION_DATA_SIZE_FITS( type ) \
    _Static_assert( sizeof(type) <= REGION_DATA_SIZE, "backend_data is too small" )
#define REGION_DATA( type, region ) ((type *)(region)->backend_data)

/* Readers: any thread, any time, no lock. What region_find() returns may become another region at
 * once: see region_enter(). With region_get() it is held until region_put(). */
extern struct watch_region *region_find( uintptr_t start, uintptr_t end );
extern struct watch_region *region_get( uintptr_t start, uintptr_t end );
extern void region_put( struct watch_region *region );
extern int region_contains( uintptr_t start, uintptr_t end );
extern int region_overlaps( uintptr_t start, uintptr_t end );
extern struct page_marks *region_marks( struct watch_region *region );

extern void region_set_state( struct watch_region *region, enum region_state state );

/* Marks the pages of [start, end) as written. Without memory for the marks queries fail until all
 * of the region is reset. In a step, or under the change lock. */
extern void region_mark_written( struct watch_region *region, uintptr_t start, uintptr_t end );

/* Writers: one at a time, under the change lock (host.h). */
extern struct watch_region *region_insert_as( uintptr_t start, uintptr_t end,
                                              const struct watch_backend *backend,
                                              enum memory_kind kind, unsigned int shift );
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
