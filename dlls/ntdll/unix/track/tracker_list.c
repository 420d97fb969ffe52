/*
 * Opening, closing and listing trackers
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/step.h"
#include "sys/kernel_api.h"
#include "track/tracker.h"

int tracker_open( struct tracker **ret_tracker, uintptr_t start, uintptr_t end, int drops )
{
    struct watch_region *region;
    struct tracker *tracker;
    uintptr_t addr;
    int ret;

    if (fork_is_unhandled()) return -EIO;
    if (!(tracker = tracker_alloc( start, end, drops ))) return -ENOMEM;

    change_lock();
    region_added = follow_new;
    if (!(ret = tracker_register( tracker )))
    {
        for (addr = start; !ret && (region = region_first( addr, end )); addr = region->end)
        {
            if ((ret = follow_close( region->base, region->end ))) break;
            ret = follow_closed( region, tracker );
            region_set_state( region, REGION_OPEN );
        }
        if (ret)
        {
            unfollow_all( tracker );
            tracker_unregister( tracker );
        }
    }
    change_unlock();
    if (ret) tracker_free( tracker );
    else *ret_tracker = tracker;
    return ret;
}

void tracker_close( struct tracker *tracker )
{
    change_lock();
    unfollow_all( tracker );
    tracker_unregister( tracker );
    change_unlock();
    tracker_free( tracker );
}

/***********************************************************************
 *           gather
 *
 * For a list: see struct list_source. A region that is not followed has no state here: it is new,
 * and will be followed before the change that adds it has ended, or that has failed.
 */
static int gather( const struct list_source *source, struct watch_region *region, uintptr_t start,
                   uintptr_t end )
{
    uintptr_t granule = (uintptr_t)1 << region->shift;
    struct tracker *tracker = source->data;
    int ret;

    if (!(region->trackers & tracker_bit( tracker ))) return -EAGAIN;
    start &= -granule;
    end = (end + granule - 1) & -granule;
    ret = source->peek ? tracked_peek( region, tracker, start, end )
                       : tracked_gather( region, start, end );
    return !ret && tracker->contents ? drops_find( tracker, region, start, end ) : ret;
}

static ssize_t list_views( const struct list_filter *filter, uintptr_t *pos, uintptr_t end,
                           struct page_run *ranges, size_t count )
{
    struct tracker *tracker = filter->source->data;
    ssize_t i, ret = 0;
    int err = 0;

    if (tracker->count) ret = views_gather( tracker, *pos, end, filter->across );
    if (!ret) ret = watch_list( *pos, end, filter, ranges, count, pos );
    if (!tracker->count || !filter->reset) return ret;
    for (i = 0; i < ret && !err; i++)
        err = views_arm( tracker, ranges[i].start, ranges[i].end );
    for (i = 0; i < ret && err; i++)
        marks_set( tracker->pages, ranges[i].start, ranges[i].end );
    return err ? err : ret;
}

/* Where a region is being added, looks again when that is done. */
static ssize_t list( const struct list_filter *filter, uintptr_t *pos, uintptr_t end,
                     struct page_run *ranges, size_t count )
{
    uintptr_t start = *pos;
    ssize_t ret;

    if ((ret = list_views( filter, pos, end, ranges, count )) != -EAGAIN) return ret;
    change_lock();
    change_unlock();
    *pos = start;
    ret = list_views( filter, pos, end, ranges, count );
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
