/*
 * The engine: resets without a query
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/give_way.h"
#include "engine/step.h"
#include "sys/page.h"
#include "sys/uninterrupted.h"

/* removes the marks of [start, end) and arms these pages; in a step */
static UNINTERRUPTED_PART int reset_marked( struct watch_region *region, uintptr_t start,
                                            uintptr_t end )
{
    struct page_marks *marks = __atomic_load_n( &region->marks, __ATOMIC_ACQUIRE );
    int ret;

    /* it is unknown which pages have lost their marks */
    if (__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) &&
        (ret = arm_pages( region, start, end ))) return ret;

    if (!marks || !__atomic_load_n( &marks->count, __ATOMIC_SEQ_CST )) return 0;
    while ((start = marks_next( marks, start, end )) < end)
    {
        uint64_t bits = marks_take( marks, start, end );

        if ((ret = arm_marked( region, start, bits )))
        {
            marks_set( marks, start, min( end, marks_group_end( marks, start )));
            return ret;
        }
        start = marks_group_end( marks, start );
    }
    return 0;
}

/* whether a query covers the whole region, whatever that has become; in a step */
static UNINTERRUPTED_PART int is_whole( const struct watch_query *query )
{
    return query->start == query->region->base && query->end == query->region->end;
}

/***********************************************************************
 *           watch_reset
 *
 * Resets all pages of the range. On failure some of them are still written.
 */
UNINTERRUPTED int watch_reset( struct watch_query *query )
{
    struct page_run runs[MAX_RUNS];
    size_t size = MAX_SCAN_SIZE, pages;
    struct page_scan scan;
    int i, ret;

    if ((ret = check_query( query ))) return ret;
    scan.flags = COLLECT_RESET;
    scan.runs  = runs;
    for (scan.start = query->start; scan.start < query->end; scan.start = scan.next)
    {
        scan.end       = step_end( scan.start, query->end, size );
        scan.len       = min( ((scan.end - scan.start) >> page_shift) / 2 + 1, MAX_RUNS );
        scan.max_pages = step_pages( scan.start ) << (query->shift - page_shift);

        if (scan.start > query->start) give_way();
        if ((ret = watch_enter( query ))) return ret;
        ret = reset_marked( query->region, scan.start, scan.end );
        if (ret >= 0) ret = ask_backend( query, &scan );
        if (ret >= 0 && scan.next == query->end && is_whole( query ))
            __atomic_fetch_and( &query->region->lost, ~LOST_MARKS, __ATOMIC_SEQ_CST );
        watch_leave( query );
        if (ret < 0) return ret;
        for (i = 0, pages = 0; i < ret; i++)
            pages += (runs[i].end - runs[i].start) >> query->shift;
        size = next_step_size( size, pages );
    }
    if (query->counters) __atomic_fetch_add( &query->counters->resets, 1, __ATOMIC_RELAXED );
    return 0;
}
