/*
 * The engine: queries
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/backend.h"
#include "engine/fork_state.h"
#include "engine/give_way.h"
#include "engine/step.h"
#include "engine/watch.h"
#include "sys/page.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"

/***********************************************************************
 *           watch_begin
 *
 * Finds the region of a range (row 6). Huge pages are queried as a whole. Returns -ENOENT if the
 * range does not lie in one region, -EIO in a child that was made without the C library.
 */
UNINTERRUPTED int watch_begin( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    uintptr_t granule;

    if (fork_is_unhandled()) return -EIO;
    if (!(query->region = region_find( start, end ))) return -ENOENT;
    query->backend = __atomic_load_n( &query->region->backend, __ATOMIC_RELAXED );
    query->counters = __atomic_load_n( &query->region->counters, __ATOMIC_RELAXED );
    query->shift = __atomic_load_n( &query->region->shift, __ATOMIC_RELAXED );
    granule      = (uintptr_t)1 << query->shift;
    query->start = start & -granule;
    query->end   = (end + granule - 1) & -granule;
    return 0;
}

/***********************************************************************
 *           next_mark
 *
 * Whether there are marks where a step of that size would look; sets *limit to the first marked
 * page. Most regions have no marks. In a step.
 */
static UNINTERRUPTED_PART int next_mark( const struct watch_query *query, size_t size,
                                         uintptr_t *limit )
{
    uintptr_t end = step_end( query->reached, query->end, size );
    struct page_marks *marks = __atomic_load_n( &query->region->marks, __ATOMIC_ACQUIRE );

    if (!marks || !__atomic_load_n( &marks->count, __ATOMIC_SEQ_CST )) return 0;
    *limit = marks_next( marks, query->reached, end );
    return *limit < end;
}

/***********************************************************************
 *           collect_scanned
 *
 * Stores the pages up to limit that the backend finds. Covers at most *size bytes, and sets *size
 * for the next step. Pages that could not be stored are put back. Ends the step.
 */
static UNINTERRUPTED_PART int collect_scanned( struct watch_query *query, uintptr_t limit,
                                               size_t *size )
{
    unsigned int shift = query->shift;
    struct page_run runs[MAX_RUNS];
    struct page_scan scan;
    int count, stored = 0;

    scan.start     = query->reached;
    scan.end       = step_end( scan.start, limit, *size );
    scan.flags     = query->reset ? COLLECT_RESET : 0;
    scan.runs      = runs;
    scan.len       = min( ((scan.end - scan.start) >> page_shift) / 2 + 1, MAX_RUNS );
    scan.max_pages = min( query->max - query->count, step_pages( scan.start ))
                     << (shift - page_shift);
    count = ask_backend( query, &scan );
    watch_leave( query );
    if (count < 0)
    {
        if (query->reset) put_back( query, scan.start, scan.end );
        return count;
    }
    if (count)
        stored = user_store_runs( query->addresses + query->count, runs, count,
                                  (size_t)1 << shift );
    if (stored < 0)
    {
        if (query->reset) while (count--) put_back( query, runs[count].start, runs[count].end );
        return stored;
    }
    query->count  += stored;
    query->reached = scan.next;
    *size = next_step_size( *size, stored );
    return 0;
}

/* one step of a query, over pages with or without marks */
static UNINTERRUPTED_PART int collect_step( struct watch_query *query, size_t *size )
{
    uintptr_t limit = query->end;
    int ret;

    if ((ret = watch_enter( query ))) return ret;
    /* the page of some fault could not be marked */
    if (__atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST ))
    {
        watch_leave( query );
        return -ENOMEM;
    }
    if (!next_mark( query, *size, &limit ) || limit >= marked_step_end( query, query->reached ))
        return collect_scanned( query, limit, size );
    return collect_marked( query );
}

/***********************************************************************
 *           count_poll
 *
 * Before the first step: a locked instruction behind a system call would cost a twentieth of a
 * small query. One that fails is taken back.
 */
static UNINTERRUPTED_PART void count_poll( const struct watch_query *query, int number )
{
    struct region_counters *counters = query->counters;

    if (!counters) return;
    __atomic_fetch_add( query->reset ? &counters->reset_polls : &counters->polls, number,
                        __ATOMIC_RELAXED );
}

static UNINTERRUPTED_PART void count_pages( const struct watch_query *query )
{
    struct region_counters *counters = query->counters;

    if (!counters || !query->count) return;
    __atomic_fetch_add( query->reset ? &counters->reset_pages : &counters->pages, query->count,
                        __ATOMIC_RELAXED );
}

/***********************************************************************
 *           watch_collect
 *
 * Stores the addresses of written pages, ascending, at most max (> 0) of them (row 10). With reset
 * exactly the stored pages are reset, each in one atomic step. On failure only the array has
 * changed: returns the status of the fault if the array cannot be written (user_memory.h),
 * otherwise the error of the kernel. The array is touched only where an address is stored. Returns
 * "nothing written" only after the backend has looked at the whole range.
 */
UNINTERRUPTED int watch_collect( struct watch_query *query, int reset, void **addresses, size_t max,
                                 size_t *count )
{
    size_t size = MAX_SCAN_SIZE;
    int ret;

    query->reached   = query->start;
    query->reset     = reset;
    query->addresses = addresses;
    query->max       = max;
    query->count     = 0;
    if ((ret = check_query( query ))) return ret;
    count_poll( query, 1 );
    while (!ret && query->reached < query->end && query->count < max)
    {
        if (query->reached > query->start) give_way();
        ret = collect_step( query, &size );
    }
    if (ret && reset) watch_undo( query, addresses, query->count );
    if (ret) count_poll( query, -1 );
    else count_pages( query );
    *count = query->count;
    return ret;
}
