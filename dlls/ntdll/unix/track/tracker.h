/*
 * Trackers: several "since when" of one memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TRACKER_H
#define WRITEWATCH_TRACKER_H

#include <sys/types.h>

#include "engine/region.h"
#include "track/watch_list.h"

#define MAX_TRACKERS 64
#define MAX_VIEWS    8

/* A tracker has a bit for each page of its range: written since the tracker was opened, or since
 * the tracker itself has reset the page. Who takes written pages from the backend (a query, a
 * list, another tracker) passes them on to all trackers in the same step, so one scan serves all,
 * and nothing that one takes is missing for another.
 *
 * While a region has trackers, a table of track/tracked.c takes the place of its backend's. Each of
 * its steps then holds a lock: between taking a page and passing it on no other one looks. */
struct tracker
{
    uintptr_t          start;
    uintptr_t          end;
    unsigned int       slot;      /* its bit in the regions' trackers */
    uint64_t           number;    /* of all that were ever opened */
    struct page_marks *pages;
    struct page_marks *contents;  /* pages that have had contents; NULL: it does not follow drops */

    /* Other mappings of memory in its range: a page of a view is that of the range at the same
     * offset from "to". Views are only added. */
    struct tracker_view
    {
        uintptr_t start;
        uintptr_t end;
        uintptr_t to;
    }                  views[MAX_VIEWS];
    unsigned int       count;
};

/* tracker.c: all of them; a slot changes only under the change lock, while no region has its
 * bit. */
extern struct tracker *trackers[MAX_TRACKERS];

/* A tracker that follows nothing yet; NULL if there is no memory. And its end. */
extern struct tracker *tracker_alloc( uintptr_t start, uintptr_t end, int drops );
extern void tracker_free( struct tracker *tracker );

/* Whether data of trackers lies in [start, end). Takes the change lock. */
extern int trackers_use_memory( uintptr_t start, uintptr_t end );

/* Gives it a slot, or takes it away; change lock held. Returns -ENOSPC if there is none. */
extern int tracker_register( struct tracker *tracker );
extern void tracker_unregister( struct tracker *tracker );

/* marks pages of its range and of its views that were written */
extern void tracker_note( struct tracker *tracker, uintptr_t start, uintptr_t end );

static inline uint64_t tracker_bit( const struct tracker *tracker )
{
    return (uint64_t)1 << tracker->slot;
}

/* Opens a tracker of [start, end), in which nothing is written yet; memory that is watched later is
 * followed from then on. With drops, pages whose contents are dropped count as written. Takes the
 * change lock. Returns 0, -ENOSPC (there are MAX_TRACKERS), -EAGAIN (follow_close()), -ENOMEM,
 * -EIO, or the error of the backend. */
extern int tracker_open( struct tracker **tracker, uintptr_t start, uintptr_t end, int drops );

/* No other thread may use it any more. Takes the change lock. */
extern void tracker_close( struct tracker *tracker );

/* watch_list() from *pos on, for what is written since the tracker last reset it. */
extern ssize_t tracker_list( struct tracker *tracker, uintptr_t *pos, uintptr_t end,
                             const struct list_filter *filter, struct page_run *ranges,
                             size_t count );

/* The same for written pages, without reset. What the backend finds is protected no sooner than the
 * next list resets it: writes until then cost no fault. */
extern ssize_t tracker_peek( struct tracker *tracker, uintptr_t *pos, uintptr_t end,
                             struct page_run *ranges, size_t count );

/* Makes pages written again that a list has reset, for this tracker. */
extern void tracker_put_back( struct tracker *tracker, uintptr_t start, uintptr_t end );

/* Adds a view: what is written through it from now on is written in the tracker. Takes the change
 * lock. 0, -ENOSPC or the errors of tracker_open(). */
extern int tracker_add_view( struct tracker *tracker, uintptr_t start, uintptr_t end,
                             uintptr_t to );

/* of views.c, before a list of [start, end) of the tracker's range: gathers what was written
 * through views; -ENOENT if a part of one is not watched, unless across. And after pages were
 * reset: the next write through a view is to fault. 0 or -errno. No lock. */
extern int views_gather( struct tracker *tracker, uintptr_t start, uintptr_t end, int across );
extern int views_arm( struct tracker *tracker, uintptr_t start, uintptr_t end );

/* of follow.c, change lock held: closes the regions with a page in [start, end) and waits for their
 * steps, 0, or -EAGAIN if one goes on for long, and then they are open; begins to follow a closed
 * one, 0 or -errno; ends that for all regions; and does what is needed for a new region */
extern int follow_close( uintptr_t start, uintptr_t end );
extern int follow_closed( struct watch_region *region, struct tracker *tracker );
extern void unfollow_all( const struct tracker *tracker );
extern void follow_new( struct watch_region *region );

/* of drops.c, for trackers that follow drops: looks for pages that were dropped since the last
 * look, or takes note of some; in a held step, or while the region is closed. 0 or -errno. */
extern int drops_find( struct tracker *tracker, struct watch_region *region, uintptr_t start,
                       uintptr_t end );
extern void drops_note( struct watch_region *region, uintptr_t start, uintptr_t end );

/* Makes a hole in shared memory by MADV_REMOVE. The kernel keeps the protection of its pages, so
 * nothing shows it later: all of them count as dropped. Takes the change lock. 0 or -errno. */
extern int drops_remove( uintptr_t start, uintptr_t end );

/* of tracked.c: the table that takes the place of a backend's; change lock held */
extern const struct watch_backend *tracked_table( const struct watch_backend *backend );

/* Takes what the backend has found in a range, and passes it on to all. In a held step, or while
 * the region is closed. Returns 0, or -errno; then all of the range is written, for all. */
extern int tracked_gather( struct watch_region *region, uintptr_t start, uintptr_t end );

/* Marks the same for one tracker, and leaves it with the backend. In a held step. Returns 0 or
 * -errno. */
extern int tracked_peek( struct watch_region *region, struct tracker *tracker, uintptr_t start,
                         uintptr_t end );

#endif /* WRITEWATCH_TRACKER_H */
