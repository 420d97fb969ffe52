/*
 * Which regions a tracker follows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/region_step.h"
#include "engine/step.h"
#include "sys/lock_order.h"
#include "sys/wait_turn.h"
#include "track/tracker.h"

/* Its steps use what is about to be freed, so they are waited for, even where a debugger has
 * stopped one. */
void follow_close( struct watch_region *region )
{
    unsigned int turns = 0;

    region_set_state( region, REGION_CLOSED );
    while (region_has_steps( region )) wait_turn( &turns );
}

/* Makes the next write to each page that is marked fault again, where faults tell of writes. The
 * marks stay: a page that is both armed and marked does no harm. Where marks were lost any page may
 * be open. */
static int arm_all_marked( struct watch_region *region )
{
    uintptr_t page = (uintptr_t)1 << region->shift, start = region->base, end;
    struct page_marks *marks = region->marks;
    int ret = 0;

    if (!region->backend->arm) return 0;
    if (__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ))
        return arm_pages( region, region->base, region->end );
    for (; !ret && (start = marks_next( marks, start, region->end )) < region->end; start = end)
    {
        end = start + page;
        while (end < region->end && marks_peek( marks, end, end + page )) end += page;
        ret = arm_pages( region, start, end );
    }
    return ret;
}

/***********************************************************************
 *           follow_closed
 *
 * What was written before is taken from the backend, for queries and earlier trackers, so that what
 * is written from now on is seen.
 */
int follow_closed( struct watch_region *region, struct tracker *tracker )
{
    int ret = 0;

    assert_locked( LOCK_CHANGES );
    if (__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) & LOST_MEMORY) ret = -EPERM;
    else if (!region_marks( region )) ret = -ENOMEM;
    if (!ret) ret = tracked_gather( region, region->base, region->end );
    if (!ret) ret = arm_all_marked( region );
    if (!ret && tracker->contents) ret = drops_find( tracker, region, region->base, region->end );
    if (ret) return ret;
    region->trackers |= tracker_bit( tracker );
    /* with all that is in it: a thread that reads the pointer reads the table next */
    __atomic_store_n( &region->backend, tracked_table( region->backend ), __ATOMIC_RELEASE );
    return 0;
}

void unfollow_all( const struct tracker *tracker )
{
    struct watch_region *region;
    uintptr_t start = 0;

    assert_locked( LOCK_CHANGES );
    for (; (region = region_first( start, ~(uintptr_t)0 )); start = region->end)
    {
        if (!(region->trackers & tracker_bit( tracker ))) continue;
        follow_close( region );
        region->trackers &= ~tracker_bit( tracker );
        if (!region->trackers)
            __atomic_store_n( &region->backend, original_backend( region->backend ),
                              __ATOMIC_RELAXED );
        region_set_state( region, REGION_OPEN );
    }
}

/* whether a tracker follows pages of a region, in its range or through a view */
static int is_followed( const struct tracker *tracker, const struct watch_region *region )
{
    unsigned int i;

    if (region->base < tracker->end && tracker->start < region->end) return 1;
    for (i = 0; i < tracker->count; i++)
        if (region->base < tracker->views[i].end && tracker->views[i].start < region->end) return 1;
    return 0;
}

/***********************************************************************
 *           follow_new
 *
 * Nothing of a new region is written yet, as for queries. Where it cannot be followed, trackers
 * have no state of it, and their lists fail.
 */
void follow_new( struct watch_region *region )
{
    unsigned int i;

    for (i = 0; i < MAX_TRACKERS; i++)
    {
        struct tracker *tracker = trackers[i];
        uintptr_t start, end;

        if (!tracker || !is_followed( tracker, region )) continue;
        start = max( region->base, tracker->start );
        end   = min( region->end, tracker->end );
        if (start < end) marks_clear( tracker->pages, start, end );
        if (start < end && tracker->contents) marks_clear( tracker->contents, start, end );
        follow_close( region );
        follow_closed( region, tracker );
        region_set_state( region, REGION_OPEN );
    }
}
