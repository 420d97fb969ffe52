/*
 * The engine: queries and resets
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "page.h"
#include "query.h"
#include "uninterrupted.h"
#include "user_memory.h"
#include "watch.h"

/* Entries of one scan. The kernel keeps a buffer of as many; from 8 KiB (341 entries) on that buffer
 * costs 355 ns a call more (6.18), and longer ones gain nothing. */
#define MAX_RUNS 341

/* The kernel holds the lock of the address space during a scan, and other threads' mmap calls wait:
 * 1 GiB of written pages in one call made them wait 15 ms, 64 MiB 0.7 ms (6.18). Pages that were not
 * written take a twentieth of the time. */
#define MAX_SCAN_SIZE  ((size_t)1 << 30)
#define MAX_SCAN_PAGES ((size_t)16384)

#define min( a, b ) ((a) < (b) ? (a) : (b))

/***********************************************************************
 *           watch_begin
 *
 * Finds the region of a range (row 6) and holds it until watch_end(). Returns -ENOENT if the
 * range does not lie in one region.
 */
UNINTERRUPTED int watch_begin( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    if (!(query->region = region_get( start, end ))) return -ENOENT;
    query->start = start;
    query->end   = end;
    return 0;
}

/***********************************************************************
 *           watch_end
 */
UNINTERRUPTED void watch_end( struct watch_query *query )
{
    region_put( query->region );
}

/***********************************************************************
 *           put_back
 *
 * Pages that were taken but could not be handed over are written still.
 */
static UNINTERRUPTED void put_back( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    struct saved_pages *saved = region_saved_pages( query->region );

    if (saved) saved_set( saved, start, end );
    else __atomic_fetch_or( &query->region->lost, 1, __ATOMIC_SEQ_CST );
}

/***********************************************************************
 *           watch_undo
 *
 * Makes pages written again that a query with reset has stored already. They are read back from the
 * caller's array; if that cannot be read any more, the whole range counts as written.
 */
UNINTERRUPTED void watch_undo( struct watch_query *query, void **addresses, size_t count )
{
    uint64_t addr;
    size_t i;

    for (i = 0; i < count; i++)
    {
        if (user_load64( &addresses[i], &addr ) || addr < query->start || addr >= query->end)
        {
            put_back( query, query->start, query->end );
            return;
        }
        put_back( query, round_down( addr ), round_down( addr ) + page_size() );
    }
}

/***********************************************************************
 *           collect_scanned
 *
 * Hands over the pages of [*start, limit) that the backend finds, and moves *start on. Pages that
 * could not be handed over have been put back.
 */
static UNINTERRUPTED int collect_scanned( struct watch_query *query, uintptr_t *start, uintptr_t limit,
                                          int reset, void **addresses, size_t max, size_t *pos )
{
    uintptr_t end = *start + min( limit - *start, MAX_SCAN_SIZE ), next;
    struct page_run runs[MAX_RUNS];
    int i, count;

    count = active_backend->scan( *start, end, reset ? SCAN_RESET : 0, runs,
                                  min( ((end - *start) >> page_shift) / 2 + 1, MAX_RUNS ),
                                  min( max - *pos, MAX_SCAN_PAGES ), &next );
    if (count < 0)
    {
        if (reset) put_back( query, *start, end );
        return count;
    }
    for (i = 0; i < count; i++)
    {
        size_t pages = (runs[i].end - runs[i].start) >> page_shift;

        if (user_store_addresses( addresses + *pos, runs[i].start, pages, page_size() ))
        {
            if (reset)
                for (; i < count; i++) put_back( query, runs[i].start, runs[i].end );
            return -EFAULT;
        }
        *pos += pages;
    }
    *start = next;
    return 0;
}

/***********************************************************************
 *           collect_mixed
 *
 * The same for a group of at most 64 pages of which some are marked in the bitmap. The caller's array
 * has room for every page up to limit, so both sources are taken whole.
 */
static UNINTERRUPTED int collect_mixed( struct watch_query *query, struct saved_pages *saved,
                                        uintptr_t *start, uintptr_t limit, int reset,
                                        void **addresses, size_t *pos )
{
    struct page_run runs[33];
    uintptr_t addr = *start, next;
    uint64_t bits;
    int i, count;

    bits = reset ? saved_take( saved, *start, limit ) : saved_peek( saved, *start, limit );
    while (addr < limit)
    {
        count = active_backend->scan( addr, limit, reset ? SCAN_RESET : 0, runs, 33, 64, &next );
        if (count < 0)
        {
            if (reset) put_back( query, *start, limit );
            return count;
        }
        for (i = 0; i < count; i++)
            for (; runs[i].start < runs[i].end; runs[i].start += page_size())
                bits |= 1ull << ((runs[i].start - *start) >> page_shift);
        addr = next;
    }
    for (; bits; bits &= bits - 1)
    {
        addr = *start + ((uintptr_t)__builtin_ctzll( bits ) << page_shift);
        if (user_store_addresses( addresses + *pos, addr, 1, 0 ))
        {
            if (reset)
                for (; bits; bits &= bits - 1)
                {
                    addr = *start + ((uintptr_t)__builtin_ctzll( bits ) << page_shift);
                    put_back( query, addr, addr + page_size() );
                }
            return -EFAULT;
        }
        ++*pos;
    }
    *start = limit;
    return 0;
}

/***********************************************************************
 *           watch_collect
 *
 * Stores the addresses of written pages, ascending, at most max (> 0) of them (row 10). With reset
 * exactly the pages stored become not written, each in one atomic step. On failure nothing has
 * changed but the array: -EFAULT if it cannot be written, otherwise what the kernel said. "Nothing
 * written" is only ever said after the backend has looked at the whole range.
 */
UNINTERRUPTED int watch_collect( struct watch_query *query, int reset, void **addresses, size_t max,
                                 size_t *count )
{
    uintptr_t start = query->start;
    size_t pos = 0;
    int ret = 0;

    if (__atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST )) return -ENOMEM;

    while (start < query->end && pos < max)
    {
        struct saved_pages *saved = __atomic_load_n( &query->region->saved, __ATOMIC_ACQUIRE );
        uintptr_t limit = query->end;

        if (saved && __atomic_load_n( &saved->count, __ATOMIC_SEQ_CST ))
        {
            limit = saved_next( saved, start, query->end );
            if (limit == start)
            {
                limit = min( query->end, saved_group_end( saved, start ));
                limit = start + min( limit - start, (max - pos) << page_shift );
                if ((ret = collect_mixed( query, saved, &start, limit, reset, addresses, &pos ))) break;
                continue;
            }
        }
        if ((ret = collect_scanned( query, &start, limit, reset, addresses, max, &pos ))) break;
    }
    if (ret && reset) watch_undo( query, addresses, pos );
    if (watch_stats.enabled && !ret)
    {
        __atomic_fetch_add( &watch_stats.polls, 1, __ATOMIC_RELAXED );
        __atomic_fetch_add( &watch_stats.pages, pos, __ATOMIC_RELAXED );
    }
    *count = pos;
    return ret;
}

/***********************************************************************
 *           watch_reset
 *
 * Makes all pages of the range not written. On failure some of them still are.
 */
UNINTERRUPTED int watch_reset( struct watch_query *query )
{
    struct saved_pages *saved = __atomic_load_n( &query->region->saved, __ATOMIC_ACQUIRE );
    uintptr_t start = query->start, addr, next;
    struct page_run runs[MAX_RUNS];
    int ret;

    if (saved)
        for (addr = start; addr < query->end; addr = saved_group_end( saved, addr ))
        {
            if (!__atomic_load_n( &saved->count, __ATOMIC_SEQ_CST )) break;
            if ((addr = saved_next( saved, addr, query->end )) == query->end) break;
            saved_take( saved, addr, query->end );
        }

    while (start < query->end)
    {
        uintptr_t end = start + min( query->end - start, MAX_SCAN_SIZE );

        ret = active_backend->scan( start, end, SCAN_RESET, runs,
                                    min( ((end - start) >> page_shift) / 2 + 1, MAX_RUNS ),
                                    MAX_SCAN_PAGES, &next );
        if (ret < 0) return ret;
        start = next;
    }
    if (query->start == query->region->base && query->end == query->region->end)
        __atomic_fetch_and( &query->region->lost, ~1u, __ATOMIC_SEQ_CST );
    if (watch_stats.enabled) __atomic_fetch_add( &watch_stats.resets, 1, __ATOMIC_RELAXED );
    return 0;
}
