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

/* How often regions are closed, and how many turns their steps are waited for: more each time, a
 * second in all. In between they have so many to go on. */
#define MAX_ATTEMPTS 6
#define FIRST_TURNS  150

static void set_states( uintptr_t start, uintptr_t end, enum region_state state )
{
    struct watch_region *region;

    for (; (region = region_first( start, end )); start = region->end)
        __atomic_store_n( &region->state, state, __ATOMIC_SEQ_CST );
}

/* Whether a step may be about to take pages; also one that began before a region became another
 * one. */
static int has_steps( uintptr_t start, uintptr_t end )
{
    struct watch_region *region = NULL;

    while ((region = region_next_gone( region )))
        if (region->base < end && start < region->end) return 1;
    for (; (region = region_first( start, end )); start = region->end)
        if (region_has_steps( region )) return 1;
    return 0;
}

/* waits for steps some turns; returns whether there are any left */
static int wait_for_steps( uintptr_t start, uintptr_t end, unsigned int max_turns )
{
    unsigned int turns = 0;

    while (has_steps( start, end ))
        if (turns < max_turns) wait_turn( &turns );
        else return 1;
    return 0;
}

/***********************************************************************
 *           follow_close
 *
 * A step that began before would not pass on what it takes, so no tracker can follow the region
 * before it has ended. Without a tracker steps do not block signals: a handler may have interrupted
 * this one, and its own list wait until the region is open again. So it is opened now and then. A
 * thread that a handler stops in its step is not waited for any longer.
 */
int follow_close( uintptr_t start, uintptr_t end )
{
    unsigned int attempt;

    assert_locked( LOCK_CHANGES );
    for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
    {
        set_states( start, end, REGION_CLOSED );
        if (!wait_for_steps( start, end, FIRST_TURNS << attempt )) return 0;
        set_states( start, end, REGION_OPEN );
        wait_for_steps( start, end, FIRST_TURNS );
    }
    return -EAGAIN;
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

static void unfollow( struct watch_region *region, const struct tracker *tracker )
{
    const struct watch_backend *table = region->backend;

    if (!(region->trackers & tracker_bit( tracker ))) return;
    table->hold( region );
    region->trackers &= ~tracker_bit( tracker );
    /* a step that sees the other table sees that there are no trackers */
    if (!region->trackers)
        __atomic_store_n( &region->backend, original_backend( table ), __ATOMIC_RELEASE );
    table->release( region );
}

/***********************************************************************
 *           unfollow_all
 *
 * What uses a tracker holds its region, with all signals blocked: that is waited for. A step that
 * has not got that far, and may be interrupted, uses none.
 */
void unfollow_all( const struct tracker *tracker )
{
    struct watch_region *region;
    uintptr_t start = 0;

    assert_locked( LOCK_CHANGES );
    for (; (region = region_first( start, ~(uintptr_t)0 )); start = region->end)
        unfollow( region, tracker );
    while ((region = region_next_gone( region ))) unfollow( region, tracker );
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
    int err = 0;

    for (i = 0; i < MAX_TRACKERS; i++)
    {
        struct tracker *tracker = trackers[i];
        uintptr_t start, end;

        if (!tracker || !is_followed( tracker, region )) continue;
        start = max( region->base, tracker->start );
        end   = min( region->end, tracker->end );
        if (start < end) marks_clear( tracker->pages, start, end );
        if (start < end && tracker->contents) marks_clear( tracker->contents, start, end );
        if (err || (err = follow_close( region->base, region->end ))) continue;
        follow_closed( region, tracker );
        region_set_state( region, REGION_OPEN );
    }
}
