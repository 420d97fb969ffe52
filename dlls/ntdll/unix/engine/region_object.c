/*
 * Regions themselves: made, used anew, split, and closed to steps of queries
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <sys/mman.h>
#include <time.h>

#include "engine/region.h"
#include "engine/region_object.h"
#include "engine/region_step.h"
#include "scan/noted_run.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"
#include "sys/wait_turn.h"

static struct watch_region *free_regions;

/***********************************************************************
 *           region_saved_pages
 *
 * The bitmap of a region, made when it is first needed. NULL if there is no memory.
 */
UNINTERRUPTED struct saved_pages *region_saved_pages( struct watch_region *region )
{
    struct saved_pages *saved = __atomic_load_n( &region->saved, __ATOMIC_ACQUIRE );
    struct saved_pages *old = NULL;

    if (saved) return saved;
    saved = saved_alloc( region->base, region->end - region->base, region->shift );
    if (!saved) return NULL;
    if (__atomic_compare_exchange_n( &region->saved, &old, saved, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE ))
        return saved;
    saved_free( saved );
    return old;
}

/***********************************************************************
 *           region_set_state
 *
 * Lets steps begin, or lets them wait or fail and then waits until those in progress have ended. A
 * step cannot be interrupted; should one be stopped all the same (by a debugger), we go on after a
 * second: a page may then be reported twice, none is lost.
 */
void region_set_state( struct watch_region *region, unsigned int state )
{
    struct timespec start, now;
    unsigned int turns = 0;

    __atomic_store_n( &region->state, state, __ATOMIC_SEQ_CST );
    if (state == REGION_OPEN || !region_has_steps( region )) return;

    clock_gettime( CLOCK_MONOTONIC, &start );
    while (region_has_steps( region ))
    {
        wait_turn( &turns );
        clock_gettime( CLOCK_MONOTONIC, &now );
        if (now.tv_sec - start.tv_sec > 1) return;
    }
}

/* whether nobody is in a region any more; who comes after it is gone looks at its state only */
static int is_unused( const struct watch_region *region )
{
    return !__atomic_load_n( &region->readers, __ATOMIC_SEQ_CST ) && !region_has_steps( region );
}

/***********************************************************************
 *           alloc_region
 *
 * A region that is closed. NULL if there is no memory.
 */
struct watch_region *alloc_region( uintptr_t start, uintptr_t end,
                                   const struct watch_backend *backend, unsigned int kind,
                                   unsigned int shift )
{
    struct watch_region **prev, *region;

    for (prev = &free_regions; (region = *prev); prev = &region->next)
        if (is_unused( region )) break;

    if (region)
    {
        *prev = region->next;
        if (region->saved) saved_free( region->saved );
        blocks_close( &region->blocks );
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
    region->saved = NULL;
    region->next  = NULL;
    region->blocks.count = 0;
    region->blocks.noted = NOTED_NEVER;
    region->kind  = kind;
    region->unadvised = 0;
    /* queries look at these before their first step */
    __atomic_store_n( &region->mapped_by_program, kind != REGION_FRESH, __ATOMIC_RELAXED );
    __atomic_store_n( &region->backend, backend, __ATOMIC_RELAXED );
    __atomic_store_n( &region->shift, shift, __ATOMIC_RELAXED );
    /* who still has it from before may count himself in and out at any time, but now waits */
    region_set_state( region, REGION_CLOSED );
    return region;
}

/***********************************************************************
 *           free_region
 *
 * To be called when the index does not lead there. A late reader keeps the bitmaps until the region
 * is used anew; one that comes later still finds the sequence changed, and a step the state, and
 * does not look at them.
 */
void free_region( struct watch_region *region )
{
    __atomic_store_n( &region->state, REGION_GONE, __ATOMIC_SEQ_CST );
    if (is_unused( region ))
    {
        if (region->saved) saved_free( region->saved );
        region->saved = NULL;
        blocks_close( &region->blocks );
    }
    region->next = free_regions;
    free_regions = region;
}

/***********************************************************************
 *           split_region
 *
 * A region for what is left of an old one. What is known of its blocks is not handed on; it is soon
 * found out again. NULL if there is no memory.
 */
struct watch_region *split_region( struct watch_region *old, uintptr_t start, uintptr_t end )
{
    struct watch_region *region = alloc_region( start, end, old->backend, old->kind, old->shift );

    if (!region) return NULL;
    region->mapped_by_program = old->mapped_by_program;
    region->unadvised = old->unadvised;
    if (old->blocks.count || old->blocks.noted != NOTED_NEVER)
        blocks_open( &region->blocks, start, end );
    if (old->saved && old->saved->count && !region_saved_pages( region )) region->lost |= 1;
    return region;
}

/***********************************************************************
 *           move_saved
 *
 * Hands saved state on; the old region is gone, so nothing else looks at its marks. A step may have
 * set the first of them since the new region was made.
 */
void move_saved( struct watch_region *from, struct watch_region *to )
{
    uintptr_t addr;

    if (!from->saved || !from->saved->count) return;
    if (!region_saved_pages( to ))
    {
        to->lost |= 1;
        return;
    }
    for (addr = saved_next( from->saved, to->base, to->end ); addr < to->end;
         addr = saved_next( from->saved, addr, to->end ))
        if (saved_take( from->saved, addr, addr + ((uintptr_t)1 << from->shift )))
            saved_set( to->saved, addr, addr + ((uintptr_t)1 << from->shift ));
}

static int is_within( uintptr_t start, uintptr_t end, const void *ptr, size_t size )
{
    return start < (uintptr_t)ptr + size && (uintptr_t)ptr < end;
}

/***********************************************************************
 *           region_uses_memory
 *
 * Regions that are free may be used next.
 */
int region_uses_memory( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;
    uintptr_t addr;

    for (region = free_regions; region; region = region->next)
        if (is_within( start, end, region, sizeof(*region) )) return 1;
    for (addr = 0; (region = region_first( addr, ~(uintptr_t)0 )); addr = region->end)
    {
        if (is_within( start, end, region, sizeof(*region) )) return 1;
        if (region->saved && is_within( start, end, region->saved, region->saved->bytes )) return 1;
    }
    return 0;
}

/***********************************************************************
 *           region_without_steps
 *
 * A thread that was at marking has counted more marks than it has made.
 */
void region_without_steps( struct watch_region *region )
{
    static const struct fair_lock free_lock;

    region->readers = region->first_step = region->steps = 0;
    region->faults = free_lock;
    if (region->saved) saved_recount( region->saved, region->end );
}

/***********************************************************************
 *           free_regions_without_steps
 */
void free_regions_without_steps(void)
{
    struct watch_region *region;

    for (region = free_regions; region; region = region->next)
    {
        if (region->saved) saved_free( region->saved );
        region->saved = NULL;
        region_without_steps( region );
    }
}
