/*
 * Views: one memory that is mapped at several addresses
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/step.h"
#include "track/tracker.h"

/* The kernel protects a page in each mapping on its own, so a write shows in the mapping that it
 * went through, which is another region. Its pages are passed on to the tracker at the place that
 * they have in the tracker's range. */

/* what is done to the pages that a view has of a part of the tracker's range */
struct view_action
{
    struct tracker *tracker;
    int           (*call)( struct watch_region *region, uintptr_t start, uintptr_t end );
    int             across;   /* pass over what is not watched, or not followed */
};

static int call_in_step( const struct view_action *action, struct watch_query *query )
{
    int ret;

    if ((ret = check_query( query )) || (ret = watch_enter( query ))) return ret;
    if (__atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST )) ret = -ENOMEM;
    else if (!(query->region->trackers >> action->tracker->slot & 1)) ret = -EAGAIN;
    else ret = action->call( query->region, query->start, query->end );
    watch_leave( query );
    return ret;
}

static int for_regions( const struct view_action *action, uintptr_t start, uintptr_t end )
{
    struct watch_query query;
    uintptr_t pos = start, last;
    int ret = 0;

    while (pos < end && !ret)
    {
        start = pos;
        last  = end;
        if (!region_next( &pos, &last )) pos = last = end;
        if (pos > start && !action->across) return -ENOENT;
        if (pos == end) break;
        if (!(ret = watch_begin( &query, pos, last ))) ret = call_in_step( action, &query );
        if (!ret) pos = last;
        /* it became another one, or went: look again */
        else if (ret == -ENOENT) ret = 0;
    }
    return ret;
}

static int for_views( const struct view_action *action, uintptr_t start, uintptr_t end )
{
    const struct tracker *tracker = action->tracker;
    unsigned int i, count = __atomic_load_n( &tracker->count, __ATOMIC_ACQUIRE );
    int ret = 0;

    for (i = 0; i < count && !ret; i++)
    {
        const struct tracker_view *view = &tracker->views[i];
        uintptr_t first = max( start, view->to );
        uintptr_t last = min( end, view->to + (view->end - view->start));

        if (first < last)
            ret = for_regions( action, first - view->to + view->start,
                               last - view->to + view->start );
    }
    return ret;
}

int views_gather( struct tracker *tracker, uintptr_t start, uintptr_t end, int across )
{
    return for_views( &(struct view_action){ tracker, tracked_gather, across }, start, end );
}

/***********************************************************************
 *           views_arm
 *
 * Pages were taken before: a write through a view that is still open has come before the list ends,
 * and its contents are what the caller finds.
 */
int views_arm( struct tracker *tracker, uintptr_t start, uintptr_t end )
{
    return for_views( &(struct view_action){ tracker, arm_pages, 1 }, start, end );
}

/***********************************************************************
 *           tracker_add_view
 *
 * All regions of the view are closed until it is complete: what was written before is gathered for
 * others alone, what is written from then on for the tracker as well.
 */
int tracker_add_view( struct tracker *tracker, uintptr_t start, uintptr_t end, uintptr_t to )
{
    struct watch_region *region;
    uintptr_t addr;
    int ret = 0;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if (tracker->count == MAX_VIEWS) ret = -ENOSPC;
    if (!ret) ret = follow_close( start, end );
    for (addr = start; !ret && (region = region_first( addr, end )); addr = region->end)
        ret = follow_closed( region, tracker );
    if (!ret)
    {
        tracker->views[tracker->count] = (struct tracker_view){ start, end, to };
        __atomic_store_n( &tracker->count, tracker->count + 1, __ATOMIC_RELEASE );
    }
    for (addr = start; (region = region_first( addr, end )); addr = region->end)
        region_set_state( region, REGION_OPEN );
    change_unlock();
    return ret;
}
