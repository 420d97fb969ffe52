/*
 * Regions themselves: allocated, reused, split, and closed to steps of queries
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "engine/region.h"
#include "engine/region_object.h"
#include "engine/region_step.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"
#include "sys/wait_turn.h"

static struct watch_region *free_regions;

/* the marks of a region, allocated on first use; NULL if there is no memory */
UNINTERRUPTED struct page_marks *region_marks( struct watch_region *region )
{
    struct page_marks *marks = __atomic_load_n( &region->marks, __ATOMIC_ACQUIRE );
    struct page_marks *old = NULL;

    if (marks) return marks;
    marks = marks_alloc( region->base, region->end - region->base, region->shift );
    if (!marks) return NULL;
    if (__atomic_compare_exchange_n( &region->marks, &old, marks, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE ))
        return marks;
    marks_free( marks );
    return old;
}

/***********************************************************************
 *           region_set_state
 *
 * Lets steps begin; or makes them wait or fail, and waits for those in progress. Where one is
 * stopped (by a debugger, or by a handler of the program that waits for us), we continue after a
 * second: a page may then be reported twice, but none is lost. Steps that were waited for when the
 * region was closed are not waited for again when it goes.
 */
void region_set_state( struct watch_region *region, enum region_state state )
{
    enum region_state old = __atomic_exchange_n( &region->state, state, __ATOMIC_SEQ_CST );
    struct timespec start, now;
    unsigned int turns = 0;

    if (old != REGION_OPEN || state == REGION_OPEN || !region_has_steps( region )) return;

    clock_gettime( CLOCK_MONOTONIC, &start );
    while (region_has_steps( region ))
    {
        wait_turn( &turns );
        clock_gettime( CLOCK_MONOTONIC, &now );
        if (now.tv_sec - start.tv_sec - (now.tv_nsec < start.tv_nsec) >= 1) return;
    }
}

/* whether no thread uses a region any more; a late one looks only at its state */
static int is_unused( const struct watch_region *region )
{
    return !__atomic_load_n( &region->readers, __ATOMIC_SEQ_CST ) && !region_has_steps( region );
}

UNINTERRUPTED void region_put_back( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct page_marks *marks = region_marks( region );

    if (marks) marks_set( marks, start, end );
    else __atomic_fetch_or( &region->lost, LOST_MARKS, __ATOMIC_SEQ_CST );
}

UNINTERRUPTED void region_mark_written( struct watch_region *region, uintptr_t start,
                                        uintptr_t end )
{
    region_put_back( region, start, end );
    if (region->backend->note_written) region->backend->note_written( region, start, end );
}

/* frees what belongs to a region that no thread uses */
static void empty_region( struct watch_region *region )
{
    if (region->marks) marks_free( region->marks );
    region->marks = NULL;
    if (region->backend && region->backend->drop) region->backend->drop( region );
    memset( region->backend_data, 0, sizeof(region->backend_data) );
}

/* returns a region that is closed, or NULL if there is no memory */
struct watch_region *alloc_region( uintptr_t start, uintptr_t end,
                                   const struct watch_backend *backend, enum memory_kind kind,
                                   unsigned int shift )
{
    struct watch_region **prev, *region;

    for (prev = &free_regions; (region = *prev); prev = &region->next)
        if (is_unused( region )) break;

    if (region)
    {
        *prev = region->next;
        empty_region( region );
    }
    else
    {
        const size_t size = 65536;
        long ret = raw_mmap_anon( size );
        size_t i;

        if (raw_failed( ret )) return NULL;
        region = (struct watch_region *)ret;
        for (i = 1; i < size / sizeof(*region); i++)
        {
            region[i].next = free_regions;
            free_regions = &region[i];
        }
    }
    region->base  = start;
    region->end   = end;
    region->lost  = 0;
    region->next  = NULL;
    region->unadvised = 0;
    region->trackers  = 0;
    /* queries read these before their first step */
    __atomic_store_n( &region->kind, kind, __ATOMIC_RELAXED );
    __atomic_store_n( &region->backend, backend, __ATOMIC_RELAXED );
    __atomic_store_n( &region->shift, shift, __ATOMIC_RELAXED );
    counters_begin( region );
    /* a thread with a stale pointer to it may count itself in and out at any time, but waits */
    region_set_state( region, REGION_CLOSED );
    return region;
}

/***********************************************************************
 *           free_region
 *
 * Called when the index no longer leads to the region. A late reader keeps the marks until the
 * region is reused. One that comes later still sees that the sequence has changed, and a step sees
 * the state: neither looks at the marks.
 */
void free_region( struct watch_region *region )
{
    __atomic_store_n( &region->state, REGION_GONE, __ATOMIC_SEQ_CST );
    counters_end( region );
    if (is_unused( region )) empty_region( region );
    region->next = free_regions;
    free_regions = region;
}

/* a region for what is left of an old one; NULL if there is no memory */
struct watch_region *split_region( struct watch_region *old, uintptr_t start, uintptr_t end )
{
    struct watch_region *region = alloc_region( start, end, old->backend, old->kind, old->shift );

    if (!region) return NULL;
    region->unadvised = old->unadvised;
    region->trackers  = old->trackers;
    if (old->backend->split) old->backend->split( region, old );
    if (old->marks && old->marks->count && !region_marks( region )) region->lost |= LOST_MARKS;
    return region;
}

/***********************************************************************
 *           move_marks
 *
 * Hands on the marks; the old region is gone, so nothing else looks at them. A step may have set
 * the first one since the new region was allocated.
 */
void move_marks( struct watch_region *from, struct watch_region *to )
{
    uintptr_t addr;

    if (!from->marks || !from->marks->count) return;
    if (!region_marks( to ))
    {
        to->lost |= LOST_MARKS;
        return;
    }
    for (addr = marks_next( from->marks, to->base, to->end ); addr < to->end;
         addr = marks_next( from->marks, addr, to->end ))
        if (marks_take( from->marks, addr, addr + ((uintptr_t)1 << from->shift )))
            marks_set( to->marks, addr, addr + ((uintptr_t)1 << from->shift ));
}

struct watch_region *region_next_gone( const struct watch_region *region )
{
    struct watch_region *next = region ? region->next : free_regions;

    while (next && !region_has_steps( next )) next = next->next;
    return next;
}

int region_is_within( const struct watch_region *region, uintptr_t start, uintptr_t end )
{
    return overlaps( start, end, region, sizeof(*region) ) ||
           (region->marks && overlaps( start, end, region->marks, region->marks->bytes ));
}

int free_region_is_within( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;

    for (region = free_regions; region; region = region->next)
        if (region_is_within( region, start, end )) return 1;
    return 0;
}

/* a thread that was setting marks may have counted more than it has set */
void region_without_steps( struct watch_region *region )
{
    region->readers = region->first_step = region->steps = 0;
    if (region->backend && region->backend->free_locks) region->backend->free_locks( region );
    if (region->marks) marks_recount( region->marks, region->end );
}

void free_regions_without_steps(void)
{
    struct watch_region *region;

    for (region = free_regions; region; region = region->next)
    {
        if (region->marks) marks_free( region->marks );
        region->marks = NULL;
        region_without_steps( region );
    }
}
