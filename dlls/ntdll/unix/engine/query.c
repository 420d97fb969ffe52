/*
 * The engine: queries
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/backend.h"
#include "engine/fork.h"
#include "engine/give_way.h"
#include "engine/step.h"
#include "engine/watch.h"
#include "sys/page.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"

/***********************************************************************
 *           watch_begin
 *
 * Finds the region of a range (row 6). Huge pages are asked for as a whole. Returns -ENOENT if the
 * range does not lie in one region, -EIO in a child that was made without the C library.
 */
UNINTERRUPTED int watch_begin( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    uintptr_t granule;

    if (fork_is_unhandled()) return -EIO;
    if (!(query->region = region_find( start, end ))) return -ENOENT;
    query->backend = __atomic_load_n( &query->region->backend, __ATOMIC_RELAXED );
    query->shift = __atomic_load_n( &query->region->shift, __ATOMIC_RELAXED );
    granule      = (uintptr_t)1 << query->shift;
    query->start = start & -granule;
    query->end   = (end + granule - 1) & -granule;
    return 0;
}

/***********************************************************************
 *           next_mark
 *
 * Whether the bitmap has marks where a step of that size would look; *limit becomes the first
 * marked page. Most regions have no bitmap. In a step.
 */
static UNINTERRUPTED int next_mark( struct watch_query *query, uintptr_t start, size_t size,
                                     uintptr_t *limit )
{
    uintptr_t end = step_end( start, query->end, size );
    struct page_marks *marks = __atomic_load_n( &query->region->marks, __ATOMIC_ACQUIRE );

    if (!marks || !__atomic_load_n( &marks->count, __ATOMIC_SEQ_CST )) return 0;
    *limit = marks_next( marks, start, end );
    return *limit < end;
}

/***********************************************************************
 *           collect_scanned
 *
 * Hands over the pages of [*start, limit) that the backend finds, and moves *start on, at most by
 * *size bytes, which becomes that of the next step. Pages that could not be handed over have been
 * put back. Ends the step.
 */
static UNINTERRUPTED int collect_scanned( struct watch_query *query, uintptr_t *start,
                                          uintptr_t limit, size_t *size, int reset,
                                          void **addresses, size_t max, size_t *pos )
{
    uintptr_t end = step_end( *start, limit, *size ), next;
    unsigned int shift = query->shift;
    struct page_run runs[MAX_RUNS];
    int count, stored = 0;

    count = ask_backend( query, *start, end, reset, runs,
                         min( ((end - *start) >> page_shift) / 2 + 1, MAX_RUNS ),
                         min( max - *pos, step_pages( *start )) << (shift - page_shift), &next );
    watch_leave( query );
    if (count < 0)
    {
        if (reset) put_back( query, *start, end );
        return count;
    }
    if (count) stored = user_store_runs( addresses + *pos, runs, count, (size_t)1 << shift );
    if (stored < 0)
    {
        if (reset) while (count--) put_back( query, runs[count].start, runs[count].end );
        return stored;
    }
    *pos += stored;
    *start = next;
    *size = next_step_size( *size, stored );
    return 0;
}

/***********************************************************************
 *           collect_step
 *
 * One step of a query, for pages with marks in the bitmap among them or without.
 */
static UNINTERRUPTED int collect_step( struct watch_query *query, uintptr_t *start, size_t *size,
                                       int reset, void **addresses, size_t max, size_t *pos )
{
    uintptr_t limit = query->end;
    int ret;

    if ((ret = watch_enter( query ))) return ret;
    /* a fault that could not be marked */
    if (__atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST ))
    {
        watch_leave( query );
        return -ENOMEM;
    }
    if (!next_mark( query, *start, *size, &limit ) || limit >= marked_step_end( query, *start ))
        return collect_scanned( query, start, limit, size, reset, addresses, max, pos );
    return collect_marked( query, start, reset, addresses, max, pos );
}

/***********************************************************************
 *           watch_collect
 *
 * Stores the addresses of written pages, ascending, at most max (> 0) of them (row 10). With reset
 * exactly the pages stored become not written, each in one atomic step. On failure nothing has
 * changed but the array: the status of the fault if it cannot be written (user_memory.h), otherwise
 * what the kernel said. The array is touched only where an address is stored. "Nothing written" is
 * only ever said after the backend has looked at the whole range.
 */
UNINTERRUPTED int watch_collect( struct watch_query *query, int reset, void **addresses, size_t max,
                                 size_t *count )
{
    uintptr_t start = query->start;
    size_t pos = 0, size = MAX_SCAN_SIZE;
    int ret;

    if ((ret = check_query( query ))) return ret;
    while (!ret && start < query->end && pos < max)
    {
        if (start > query->start) give_way();
        ret = collect_step( query, &start, &size, reset, addresses, max, &pos );
    }
    query->reached = start;
    if (ret && reset) watch_undo( query, addresses, pos );
    if (watch_stats.enabled && !ret)
    {
        __atomic_fetch_add( &watch_stats.polls, 1, __ATOMIC_RELAXED );
        __atomic_fetch_add( &watch_stats.pages, pos, __ATOMIC_RELAXED );
    }
    *count = pos;
    return ret;
}
