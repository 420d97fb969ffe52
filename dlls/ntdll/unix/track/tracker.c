/*
 * Opening and closing trackers
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/region_step.h"
#include "engine/step.h"
#include "sys/kernel_api.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/wait_turn.h"
#include "track/tracker.h"

struct tracker *trackers[MAX_TRACKERS];

static uint64_t bit_of( const struct tracker *tracker )
{
    return (uint64_t)1 << tracker->slot;
}

/* Closes a region. Its steps use what is about to be freed, so they are waited for, even where a debugger
 * has stopped one. */
static void close_region( struct watch_region *region )
{
    unsigned int turns = 0;

    region_set_state( region, REGION_CLOSED );
    while (region_has_steps( region )) wait_turn( &turns );
}

/* Makes the next write to each page that is marked fault again, where faults tell of writes. The marks
 * stay: a page that is both armed and marked does no harm. */
static int arm_all_marked( struct watch_region *region )
{
    struct page_marks *marks = region->marks;
    uintptr_t start = region->base, end;
    int ret = 0;

    if (!region->backend->arm || !marks) return 0;
    for (; !ret && (start = marks_next( marks, start, region->end )) < region->end; start = end)
    {
        uintptr_t page = (uintptr_t)1 << region->shift;

        for (end = start + page; end < region->end && marks_peek( marks, end, end + page ); end += page)
            /* nothing */;
        ret = region->backend->arm( region, start, end );
    }
    return ret;
}

/***********************************************************************
 *           follow
 *
 * Begins to follow a region: what was written before is taken from the backend, for those who were
 * there before, so that what is written from now on is seen. Change lock held.
 */
static int follow( struct watch_region *region, struct tracker *tracker )
{
    int ret = 0;

    close_region( region );
    if (__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) & LOST_MEMORY) ret = -EPERM;
    else if (!region_marks( region )) ret = -ENOMEM;
    if (!ret) ret = tracked_gather( region, region->base, region->end );
    if (!ret) ret = arm_all_marked( region );
    if (!ret && tracker->contents)
        ret = drops_find( tracker, region, max( region->base, tracker->start ),
                          min( region->end, tracker->end ));
    if (!ret)
    {
        region->trackers |= bit_of( tracker );
        __atomic_store_n( &region->backend, tracked_table( region->backend ), __ATOMIC_RELAXED );
    }
    region_set_state( region, REGION_OPEN );
    return ret;
}

/* ends that, for all regions that a tracker follows; change lock held */
static void unfollow_all( const struct tracker *tracker )
{
    struct watch_region *region;
    uintptr_t start = 0;

    for (; (region = region_first( start, ~(uintptr_t)0 )); start = region->end)
    {
        if (!(region->trackers & bit_of( tracker ))) continue;
        close_region( region );
        region->trackers &= ~bit_of( tracker );
        if (!region->trackers)
            __atomic_store_n( &region->backend, original_backend( region->backend ),
                              __ATOMIC_RELAXED );
        region_set_state( region, REGION_OPEN );
    }
}

/***********************************************************************
 *           follow_new
 *
 * A new region in the range of trackers: nothing of it is written yet, as for queries. Where it cannot
 * be followed, trackers have no state of it, and their lists fail.
 */
static void follow_new( struct watch_region *region )
{
    unsigned int i;

    for (i = 0; i < MAX_TRACKERS; i++)
    {
        struct tracker *tracker = trackers[i];
        uintptr_t start = region->base, end = region->end;

        if (!tracker || start >= tracker->end || end <= tracker->start) continue;
        if (start < tracker->start) start = tracker->start;
        if (end > tracker->end) end = tracker->end;
        marks_clear( tracker->pages, start, end );
        if (tracker->contents) marks_clear( tracker->contents, start, end );
        follow( region, tracker );
    }
}

static void free_tracker( struct tracker *tracker )
{
    if (tracker->pages) marks_free( tracker->pages );
    if (tracker->contents) marks_free( tracker->contents );
    raw_munmap( tracker, round_up( sizeof(*tracker) ));
}

/* a tracker that follows nothing yet, or NULL */
static struct tracker *alloc_tracker( uintptr_t start, uintptr_t end, int drops )
{
    struct tracker *tracker;
    long page = raw_mmap_anon( round_up( sizeof(*tracker) ));

    if (raw_failed( page )) return NULL;
    tracker = (struct tracker *)page;
    tracker->start = start;
    tracker->end   = end;
    tracker->pages = marks_alloc( start, end - start, page_shift );
    if (drops) tracker->contents = marks_alloc( start, end - start, page_shift );
    if (tracker->pages && (tracker->contents || !drops)) return tracker;
    free_tracker( tracker );
    return NULL;
}

int tracker_open( struct tracker **ret_tracker, uintptr_t start, uintptr_t end, int drops )
{
    struct watch_region *region;
    struct tracker *tracker;
    unsigned int slot;
    uintptr_t addr;
    int ret = 0;

    if (fork_is_unhandled()) return -EIO;
    if (!(tracker = alloc_tracker( start, end, drops ))) return -ENOMEM;

    change_lock();
    for (slot = 0; slot < MAX_TRACKERS && trackers[slot]; slot++) /* nothing */;
    if (slot == MAX_TRACKERS) ret = -ENOSPC;
    else
    {
        tracker->slot = slot;
        trackers[slot] = tracker;
        region_added = follow_new;
        for (addr = start; !ret && (region = region_first( addr, end )); addr = region->end)
            ret = follow( region, tracker );
        if (ret)
        {
            unfollow_all( tracker );
            trackers[slot] = NULL;
        }
    }
    change_unlock();
    if (ret) free_tracker( tracker );
    else *ret_tracker = tracker;
    return ret;
}

void tracker_close( struct tracker *tracker )
{
    change_lock();
    unfollow_all( tracker );
    trackers[tracker->slot] = NULL;
    change_unlock();
    free_tracker( tracker );
}

/***********************************************************************
 *           gather
 *
 * For a list: see struct list_source. A region that is not followed has no state here: it is new, and
 * will be followed before the change that adds it has ended, or that has failed.
 */
static int gather( const struct list_source *source, struct watch_region *region, uintptr_t start,
                   uintptr_t end )
{
    struct tracker *tracker = source->data;
    int ret;

    if (!(region->trackers & bit_of( tracker ))) return -EAGAIN;
    ret = source->peek ? tracked_peek( region, tracker, start, end )
                       : tracked_gather( region, start, end );
    return !ret && tracker->contents ? drops_find( tracker, region, start, end ) : ret;
}

/* Where a region is being added, looks again when that is done. */
static ssize_t list( const struct list_filter *filter, uintptr_t *pos, uintptr_t end,
                     struct page_run *ranges, size_t count )
{
    ssize_t ret;

    if ((ret = watch_list( *pos, end, filter, ranges, count, pos )) != -EAGAIN) return ret;
    change_lock();
    change_unlock();
    ret = watch_list( *pos, end, filter, ranges, count, pos );
    return ret == -EAGAIN ? -EIO : ret;
}

ssize_t tracker_list( struct tracker *tracker, uintptr_t *pos, uintptr_t end,
                      const struct list_filter *filter, struct page_run *ranges, size_t count )
{
    struct list_source source = { gather, tracker, tracker->pages, 0 };
    struct list_filter tracked = *filter;

    tracked.source = &source;
    return list( &tracked, pos, end, ranges, count );
}

ssize_t tracker_peek( struct tracker *tracker, uintptr_t *pos, uintptr_t end,
                      struct page_run *ranges, size_t count )
{
    struct list_source source = { gather, tracker, tracker->pages, 1 };
    struct list_filter filter = { .required = PAGE_IS_WRITTEN, .across = 1, .source = &source };

    return list( &filter, pos, end, ranges, count );
}

void tracker_put_back( struct tracker *tracker, uintptr_t start, uintptr_t end )
{
    marks_set( tracker->pages, start, end );
}
