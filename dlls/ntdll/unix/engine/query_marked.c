/*
 * Steps of queries over pages of which some are marked
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/step.h"
#include "sys/page.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"

/* The pages that a step has found, among the marks or by the backend: one bit for each, in groups
 * like those of the marks. A step may begin and end within a group. */
struct found_pages
{
    uintptr_t base;    /* of the first group */
    size_t    count;   /* of groups */
    uint64_t  words[MAX_SCAN_PAGES / 64 + 1];
};

/***********************************************************************
 *           step_limit
 *
 * Where a step ends, and how many pages the backend may find in it, so that there is room for these
 * and the marked ones together: putting back a mark would leave a moment in which the page counts
 * as not written. A step may be as long as there is room for each of its pages, and longer if it
 * has few marks.
 */
static UNINTERRUPTED_PART uintptr_t step_limit( const struct watch_query *query,
                                                struct page_marks *marks, uintptr_t start,
                                                size_t room, size_t *pages )
{
    uintptr_t limit = marked_step_end( query, start ), end, next;
    size_t marked, more;

    *pages = (limit - start) >> query->shift;
    if (*pages <= room) return limit;

    *pages = room;
    end = start + (room << query->shift);
    marked = marks_count( marks, start, end );
    for (; end < limit; end = next)
    {
        next = min( marks_group_end( marks, end ), limit );
        more = marks_count( marks, end, next );
        if (marked + more >= room) break;
        marked += more;
        *pages = room - marked;
    }
    return end;
}

/* adds what the backend found, and returns how many pages these are */
static UNINTERRUPTED_PART size_t add_runs( struct found_pages *found, unsigned int shift,
                                           const struct page_run *runs, int count )
{
    size_t first, last, bit, pages = 0;

    for (; count > 0; count--, runs++)
    {
        first = (runs->start - found->base) >> shift;
        last  = (runs->end - found->base) >> shift;
        pages += last - first;
        for (; first < last; first = (first | 63) + 1)
        {
            bit = first & 63;
            found->words[first / 64] |= (last - first < 64 ? (1ull << (last - first)) - 1 : ~0ull)
                                        << bit;
        }
    }
    return pages;
}

/***********************************************************************
 *           next_run
 *
 * Finds the next run of found pages from bit *pos on, as bits [*pos, *last), within a group.
 * Returns 0 if there is none.
 */
static UNINTERRUPTED_PART int next_run( const struct found_pages *found, size_t *pos, size_t *last )
{
    uint64_t bits;

    while (*pos / 64 < found->count)
    {
        bits = found->words[*pos / 64] >> (*pos & 63);
        if (!bits)
        {
            *pos = (*pos | 63) + 1;
            continue;
        }
        *pos += lowest_bit( bits );
        bits = ~(found->words[*pos / 64] >> (*pos & 63));
        *last = bits ? *pos + lowest_bit( bits ) : (*pos | 63) + 1;
        return 1;
    }
    return 0;
}

/***********************************************************************
 *           take_runs
 *
 * Turns found pages from bit *pos on into runs, at most MAX_RUNS and limit pages, and advances
 * *pos.
 */
static UNINTERRUPTED_PART int take_runs( const struct found_pages *found, unsigned int shift,
                                         size_t *pos, struct page_run *runs, size_t limit )
{
    size_t last;
    int count = 0;

    while (limit && count < MAX_RUNS && next_run( found, pos, &last ))
    {
        if (last - *pos > limit) last = *pos + limit;
        runs[count].start = found->base + (*pos << shift);
        runs[count].end   = found->base + (last << shift);
        limit -= last - *pos;
        *pos = last;
        count++;
    }
    return count;
}

/***********************************************************************
 *           store_found
 *
 * Stores what was found; outside of a step. Pages that were taken and cannot be stored are put
 * back.
 */
static UNINTERRUPTED_PART int store_found( struct watch_query *query,
                                           const struct found_pages *found, struct page_run *runs )
{
    unsigned int shift = query->shift;
    size_t bit = 0;
    int count, stored;

    while ((count = take_runs( found, shift, &bit, runs, query->max - query->count )))
    {
        stored = user_store_runs( query->addresses + query->count, runs, count,
                                  (size_t)1 << shift );
        if (stored < 0)
        {
            if (query->reset)
                do while (count--) put_back( query, runs[count].start, runs[count].end );
                while ((count = take_runs( found, shift, &bit, runs, query->max - query->count )));
            return stored;
        }
        query->count += stored;
    }
    return 0;
}

/* arm_marked() for all pages that were found; in a step */
static UNINTERRUPTED_PART int arm_found( struct watch_query *query,
                                         const struct found_pages *found )
{
    uintptr_t addr = found->base;
    size_t i;
    int ret = 0;

    if (!query->backend->arm) return 0;
    for (i = 0; i < found->count && !ret; i++, addr += (uintptr_t)64 << query->shift)
        if (found->words[i]) ret = arm_marked( query->region, addr, found->words[i] );
    return ret;
}

/***********************************************************************
 *           collect_marked
 *
 * Stores the next pages that are marked or that the backend finds. Asks the backend once for a long
 * range, and walks the marks once: programs decommit pages by the thousand, and a system call for
 * each group took nine times as long as everything else. Pages that could not be stored are put
 * back. Ends the step.
 *
 * Without reset the marks come first: if all pages are marked the kernel need not be asked. With
 * reset no more marks are taken than there is room for besides what the backend found.
 */
UNINTERRUPTED int collect_marked( struct watch_query *query )
{
    struct page_marks *marks = __atomic_load_n( &query->region->marks, __ATOMIC_ACQUIRE );
    size_t i, room = query->max - query->count, limit, pages;
    unsigned int shift = query->shift;
    struct page_run runs[MAX_RUNS];
    struct found_pages found;
    struct page_scan scan;
    int count = 0;

    scan.start = query->reached;
    scan.end   = scan.next = step_limit( query, marks, scan.start, room, &limit );
    pages = (scan.end - scan.start) >> shift;
    found.base = marks_group_end( marks, scan.start ) - ((uintptr_t)64 << shift);
    found.count = (((scan.end - found.base) >> shift) + 63) / 64;
    /* volatile, or it would become a call to memset(), outside the section */
    for (i = 0; i < found.count; i++) *(volatile uint64_t *)&found.words[i] = 0;

    if (query->reset ||
        marks_collect( marks, scan.start, scan.end, 0, found.words, pages ) < pages)
    {
        scan.flags     = query->reset ? COLLECT_RESET : 0;
        scan.runs      = runs;
        scan.len       = min( pages / 2 + 1, MAX_RUNS );
        scan.max_pages = limit << (shift - page_shift);
        count = ask_backend( query, &scan );
        if (count >= 0) room -= add_runs( &found, shift, runs, count );
        if (count >= 0 && query->reset)
        {
            marks_collect( marks, scan.start, scan.next, 1, found.words, room );
            count = arm_found( query, &found );
        }
    }
    watch_leave( query );
    if (count < 0)
    {
        if (query->reset) put_back( query, scan.start, scan.end );
        return count;
    }
    /* marks beyond what the backend has covered come with the next step */
    if ((scan.next - found.base) >> shift & 63)
        found.words[(scan.next - found.base) >> shift >> 6] &=
            (1ull << ((scan.next - found.base) >> shift & 63)) - 1;
    found.count = (((scan.next - found.base) >> shift) + 63) / 64;
    query->reached = scan.next;
    return store_found( query, &found, runs );
}
