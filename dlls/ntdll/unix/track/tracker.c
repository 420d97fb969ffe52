/*
 * The trackers that there are, and the pages that each has
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/host.h"
#include "engine/step.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "track/tracker.h"

struct tracker *trackers[MAX_TRACKERS];

struct tracker *tracker_alloc( uintptr_t start, uintptr_t end, int drops )
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
    tracker_free( tracker );
    return NULL;
}

void tracker_free( struct tracker *tracker )
{
    if (tracker->pages) marks_free( tracker->pages );
    if (tracker->contents) marks_free( tracker->contents );
    raw_munmap( tracker, round_up( sizeof(*tracker) ));
}

int trackers_use_memory( uintptr_t start, uintptr_t end )
{
    unsigned int i;
    int ret = 0;

    change_lock();
    for (i = 0; i < MAX_TRACKERS && !ret; i++)
    {
        const struct tracker *tracker = trackers[i];

        if (!tracker) continue;
        ret = overlaps( start, end, tracker, sizeof(*tracker) ) ||
              overlaps( start, end, tracker->pages, tracker->pages->bytes ) ||
              (tracker->contents &&
               overlaps( start, end, tracker->contents, tracker->contents->bytes ));
    }
    change_unlock();
    return ret;
}

int tracker_register( struct tracker *tracker )
{
    static uint64_t opened;
    unsigned int slot;

    assert_locked( LOCK_CHANGES );
    for (slot = 0; slot < MAX_TRACKERS && trackers[slot]; slot++) /* nothing */;
    if (slot == MAX_TRACKERS) return -ENOSPC;
    tracker->slot   = slot;
    tracker->number = ++opened;
    trackers[slot]  = tracker;
    return 0;
}

void tracker_unregister( struct tracker *tracker )
{
    assert_locked( LOCK_CHANGES );
    trackers[tracker->slot] = NULL;
}

void tracker_note( struct tracker *tracker, uintptr_t start, uintptr_t end )
{
    uintptr_t first = max( start, tracker->start ), last = min( end, tracker->end );
    unsigned int i, count = __atomic_load_n( &tracker->count, __ATOMIC_ACQUIRE );

    if (first < last) marks_set( tracker->pages, first, last );
    for (i = 0; i < count; i++)
    {
        const struct tracker_view *view = &tracker->views[i];

        first = max( start, view->start );
        last  = min( end, view->end );
        if (first < last)
            marks_set( tracker->pages, first - view->start + view->to,
                       last - view->start + view->to );
    }
}
