/*
 * Moving watched memory with its written state
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/step.h"
#include "track/move.h"
#include "track/tracker.h"

/* The kernel forgets the watch of memory that mremap() moves, and what it knows of its pages. So
 * all of it is gathered first, among the marks of the region and of its trackers. */

_Static_assert( sizeof(((struct moved_state *)0)->tracked) / sizeof(struct page_marks *) ==
                MAX_TRACKERS, "one for each tracker" );

int move_look( struct moved_state *state, uintptr_t start, size_t size )
{
    struct watch_region *region;

    *state = (struct moved_state){ .start = start, .size = size };
    if (fork_is_unhandled()) return -EIO;
    if (!(region = region_get( start, start + size ))) return -ENOENT;
    state->kind  = region->kind;
    state->shift = region->shift;
    state->has_protection = region->backend->protect != NULL;
    region_put( region );
    return 0;
}

/* copies the marks of a range to those of another, page by page */
static void copy_marks( struct page_marks *to, uintptr_t to_start, struct page_marks *from,
                        uintptr_t start, size_t size )
{
    uintptr_t end = start + size, page = (uintptr_t)1 << from->shift, pos;

    for (pos = start; (pos = marks_next( from, pos, end )) < end; pos += page)
        marks_set( to, pos - start + to_start, pos - start + to_start + page );
}

static void free_state( struct moved_state *state )
{
    unsigned int i;

    if (state->written) marks_free( state->written );
    for (i = 0; i < MAX_TRACKERS; i++) if (state->tracked[i]) marks_free( state->tracked[i] );
}

/* the part of the range that a tracker follows */
static int tracked_part( const struct tracker *tracker, uintptr_t base, size_t size,
                         uintptr_t *start, uintptr_t *end )
{
    *start = max( base, tracker->start );
    *end   = min( base + size, tracker->end );
    return *start < *end;
}

/* the region is closed */
static int take_state( struct watch_region *region, void *data )
{
    struct moved_state *state = data;
    uintptr_t end = state->start + state->size, first, last;
    unsigned int i;
    int ret;

    if (__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST )) return -ENOMEM;
    if (!region_marks( region )) return -ENOMEM;
    if (!(state->written = marks_alloc( state->start, state->size, region->shift ))) return -ENOMEM;
    for (i = 0; i < MAX_TRACKERS; i++)
    {
        if (!(region->trackers >> i & 1)) continue;
        state->numbers[i] = trackers[i]->number;
        if (!(state->tracked[i] = marks_alloc( state->start, state->size, page_shift )))
            return -ENOMEM;
    }
    if ((ret = tracked_gather( region, state->start, end ))) return ret;
    /* trackers begin anew with what has contents when the memory is watched again */
    for (i = 0; i < MAX_TRACKERS && !ret; i++)
        if (state->tracked[i] && trackers[i]->contents)
            ret = drops_find( trackers[i], region, state->start, end );
    if (ret) return ret;
    copy_marks( state->written, state->start, region->marks, state->start, state->size );
    for (i = 0; i < MAX_TRACKERS; i++)
        if (state->tracked[i] &&
            tracked_part( trackers[i], state->start, state->size, &first, &last ))
            copy_marks( state->tracked[i], first, trackers[i]->pages, first, last - first );
    return 0;
}

int move_take( struct moved_state *state )
{
    int ret = watch_take_away( (void *)state->start, state->size, take_state, state );

    if (ret) free_state( state );
    return ret;
}

void move_give( struct moved_state *state, uintptr_t start )
{
    struct watch_region *region;
    uintptr_t first, last;
    unsigned int i;

    change_lock();
    if ((region = region_find( start, start + state->size )))
    {
        if (region_marks( region ))
            copy_marks( region->marks, start, state->written, state->start, state->size );
        else region_put_back( region, start, start + state->size );
        for (i = 0; i < MAX_TRACKERS; i++)
            if (state->tracked[i] && trackers[i] && trackers[i]->number == state->numbers[i] &&
                tracked_part( trackers[i], start, state->size, &first, &last ))
                copy_marks( trackers[i]->pages, first, state->tracked[i],
                            first - start + state->start, last - first );
    }
    change_unlock();
    free_state( state );
}
