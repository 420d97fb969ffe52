/*
 * The engine: queries and resets
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "backend.h"
#include "give_way.h"
#include "page.h"
#include "uninterrupted.h"
#include "user_memory.h"
#include "watch.h"

/* Entries of one scan. The kernel keeps a buffer of as many; from 8 KiB (341 entries) on that
 * buffer costs 355 ns a call more (6.18), and longer ones gain nothing. */
#define MAX_RUNS 341

/* The kernel holds the lock of the address space during a scan, and other threads' mmap calls
 * wait: 1 GiB of written pages in one call made them wait 15 ms, 64 MiB 0.7 ms (6.18). Pages
 * that were not written take a twentieth of the time. */
#define MAX_SCAN_SIZE  ((size_t)1 << 30)
#define MAX_SCAN_PAGES ((size_t)16384)

#define min( a, b ) ((a) < (b) ? (a) : (b))

/* asks the backend; in a step */
static UNINTERRUPTED int scan( struct watch_region *region, uintptr_t start, uintptr_t end, int reset,
                               struct page_run *runs, size_t len, size_t max_pages, uintptr_t *next )
{
    if (region->backend->scan)
        return region->backend->scan( region, start, end, reset ? SCAN_RESET : 0, runs, len, max_pages,
                                      next );
    *next = end;
    return 0;
}

/***********************************************************************
 *           watch_begin
 *
 * Finds the region of a range (row 6) and holds it until watch_end(). Huge pages are asked for as a
 * whole. Returns -ENOENT if the range does not lie in one region.
 */
UNINTERRUPTED int watch_begin( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    uintptr_t granule;

    if (!(query->region = region_get( start, end ))) return -ENOENT;
    granule = (uintptr_t)1 << query->region->shift;
    query->start = start & -granule;
    query->end   = (end + granule - 1) & -granule;
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
 *           enter
 *
 * Begins a step. If a part of the region was released meanwhile (row 37), its rest is another
 * region; returns -ENOENT if the range is no longer in one.
 */
static UNINTERRUPTED int enter( struct watch_query *query )
{
    struct watch_region *region;

    while (!region_enter( query->region ))
    {
        if (!(region = region_get( query->start, query->end ))) return -ENOENT;
        region_put( query->region );
        query->region = region;
    }
    if (query->region->backend->hold) query->region->backend->hold( query->region );
    return 0;
}

static UNINTERRUPTED void leave( struct watch_query *query )
{
    if (query->region->backend->release) query->region->backend->release( query->region );
    region_leave( query->region );
}

/* whether queries may be made; outside of a step */
static UNINTERRUPTED int check_region( struct watch_region *region )
{
    return region->backend->check ? region->backend->check() : 0;
}

/* marks pages of a region as written, in a step */
static UNINTERRUPTED void mark_written( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct saved_pages *saved = region_saved_pages( region );

    if (saved) saved_set( saved, start, end );
    else __atomic_fetch_or( &region->lost, 1, __ATOMIC_SEQ_CST );
}

/***********************************************************************
 *           put_back
 *
 * Pages that were taken but could not be handed over are written still, as far as they are watched.
 */
static UNINTERRUPTED void put_back( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    struct watch_region *region;

    if (!enter( query ))
    {
        mark_written( query->region, start, end );
        leave( query );
        return;
    }
    for (; start < end; start += page_size())
    {
        if (!(region = region_get( start, start + page_size() ))) continue;
        if (region_enter( region ))
        {
            mark_written( region, start, start + page_size() );
            region_leave( region );
        }
        region_put( region );
    }
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
 *           next_saved
 *
 * Whether the bitmap has marks in the rest of the range; *limit becomes the first marked page. Most
 * regions have no bitmap.
 */
static UNINTERRUPTED int next_saved( struct watch_query *query, uintptr_t start, uintptr_t *limit )
{
    struct saved_pages *saved = __atomic_load_n( &query->region->saved, __ATOMIC_ACQUIRE );

    if (!saved || !__atomic_load_n( &saved->count, __ATOMIC_SEQ_CST )) return 0;
    *limit = saved_next( saved, start, query->end );
    return *limit < query->end;
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
    unsigned int shift = query->region->shift;
    struct page_run runs[MAX_RUNS];
    int i, count;

    if ((count = enter( query ))) return count;
    /* pages may have been saved since the caller looked; what is marked is the other function's */
    if (next_saved( query, *start, &limit )) end = min( end, limit );
    if (end == *start)
    {
        leave( query );
        return 0;
    }
    count = scan( query->region, *start, end, reset, runs,
                                  min( ((end - *start) >> page_shift) / 2 + 1, MAX_RUNS ),
                                  min( max - *pos, MAX_SCAN_PAGES ) << (shift - page_shift), &next );
    leave( query );
    if (count < 0)
    {
        if (reset) put_back( query, *start, end );
        return count;
    }
    for (i = 0; i < count; i++)
    {
        size_t pages = (runs[i].end - runs[i].start) >> shift;

        if (user_store_addresses( addresses + *pos, runs[i].start, pages, (size_t)1 << shift ))
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

/* arms the pages of a group whose marks were taken; in a step */
static UNINTERRUPTED int arm_marked( struct watch_region *region, uintptr_t start, uint64_t bits )
{
    int ret = 0;

    if (!region->backend->arm) return 0;
    while (bits && !ret)
    {
        unsigned int first = __builtin_ctzll( bits ), count = 1;

        while (first + count < 64 && (bits >> (first + count) & 1)) count++;
        ret = region->backend->arm( region, start + ((uintptr_t)first << region->shift),
                                    start + ((uintptr_t)(first + count) << region->shift) );
        bits &= first + count < 64 ? ~0ull << (first + count) : 0;
    }
    return ret;
}

/***********************************************************************
 *           collect_mixed
 *
 * The same for a group of at most 64 pages of which some are marked in the bitmap. The caller's
 * array has room for every page up to limit, so both sources are taken whole.
 */
static UNINTERRUPTED int collect_mixed( struct watch_query *query, uintptr_t *start, uintptr_t limit,
                                        int reset, void **addresses, size_t *pos )
{
    unsigned int shift = query->region->shift;
    struct page_run runs[33];
    uintptr_t addr = *start, next;
    struct saved_pages *saved;
    uint64_t bits;
    int i, count;

    if ((count = enter( query ))) return count;
    /* the region may be another one by now, with groups that end elsewhere */
    if (!(saved = __atomic_load_n( &query->region->saved, __ATOMIC_ACQUIRE )))
    {
        leave( query );
        return 0;
    }
    limit = min( limit, saved_group_end( saved, addr ));
    bits = reset ? saved_take( saved, addr, limit ) : saved_peek( saved, addr, limit );
    for (; addr < limit; addr = next)
    {
        count = scan( query->region, addr, limit, reset, runs, 33, (size_t)64 << (shift - page_shift),
                      &next );
        if (count < 0) break;
        for (i = 0; i < count; i++)
            for (; runs[i].start < runs[i].end; runs[i].start += (uintptr_t)1 << shift)
                bits |= 1ull << ((runs[i].start - *start) >> shift);
    }
    if (count >= 0 && reset && bits) count = arm_marked( query->region, *start, bits );
    leave( query );
    if (count < 0)
    {
        if (reset) put_back( query, *start, limit );
        return count;
    }
    for (; bits; bits &= bits - 1)
    {
        addr = *start + ((uintptr_t)__builtin_ctzll( bits ) << shift);
        if (user_store_addresses( addresses + *pos, addr, 1, 0 ))
        {
            if (reset)
                for (; bits; bits &= bits - 1)
                {
                    addr = *start + ((uintptr_t)__builtin_ctzll( bits ) << shift);
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

    if ((ret = check_region( query->region ))) return ret;
    if (__atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST )) return -ENOMEM;

    while (start < query->end && pos < max)
    {
        uintptr_t limit = query->end;

        if (start > query->start) give_way();
        if (next_saved( query, start, &limit ) && limit == start)
        {
            limit = start + (min( (query->end - start) >> query->region->shift, max - pos )
                             << query->region->shift);
            ret = collect_mixed( query, &start, limit, reset, addresses, &pos );
        }
        else ret = collect_scanned( query, &start, limit, reset, addresses, max, &pos );
        if (ret) break;
    }
    /* a fault that could not be marked */
    if (!ret && __atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST )) ret = -ENOMEM;
    if (ret && reset) watch_undo( query, addresses, pos );
    if (watch_stats.enabled && !ret)
    {
        __atomic_fetch_add( &watch_stats.polls, 1, __ATOMIC_RELAXED );
        __atomic_fetch_add( &watch_stats.pages, pos, __ATOMIC_RELAXED );
    }
    *count = pos;
    return ret;
}

/* takes the marks of [start, end) away and arms these pages; in a step */
static UNINTERRUPTED int reset_marked( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct saved_pages *saved = __atomic_load_n( &region->saved, __ATOMIC_ACQUIRE );
    int ret;

    /* which pages have lost their marks is not known */
    if (region->backend->arm && __atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) &&
        (ret = region->backend->arm( region, start, end ))) return ret;

    if (!saved || !__atomic_load_n( &saved->count, __ATOMIC_SEQ_CST )) return 0;
    while ((start = saved_next( saved, start, end )) < end)
    {
        uint64_t bits = saved_take( saved, start, end );

        if ((ret = arm_marked( region, start, bits )))
        {
            saved_set( saved, start, min( end, saved_group_end( saved, start )));
            return ret;
        }
        start = saved_group_end( saved, start );
    }
    return 0;
}

/***********************************************************************
 *           watch_reset
 *
 * Makes all pages of the range not written. On failure some of them still are.
 */
UNINTERRUPTED int watch_reset( struct watch_query *query )
{
    uintptr_t start = query->start, end, next;
    struct page_run runs[MAX_RUNS];
    int ret;

    if ((ret = check_region( query->region ))) return ret;
    while (start < query->end)
    {
        end = start + min( query->end - start, MAX_SCAN_SIZE );

        if (start > query->start) give_way();
        if ((ret = enter( query ))) return ret;
        ret = reset_marked( query->region, start, end );
        if (ret >= 0)
            ret = scan( query->region, start, end, 1, runs,
                        min( ((end - start) >> page_shift) / 2 + 1, MAX_RUNS ),
                        MAX_SCAN_PAGES << (query->region->shift - page_shift), &next );
        leave( query );
        if (ret < 0) return ret;
        start = next;
    }
    if (query->start == query->region->base && query->end == query->region->end)
        __atomic_fetch_and( &query->region->lost, ~1u, __ATOMIC_SEQ_CST );
    if (watch_stats.enabled) __atomic_fetch_add( &watch_stats.resets, 1, __ATOMIC_RELAXED );
    return 0;
}

/***********************************************************************
 *           watch_enter
 *
 * Begins a step for code that is not in this file; -ENOENT as enter().
 */
UNINTERRUPTED int watch_enter( struct watch_query *query )
{
    return enter( query );
}

UNINTERRUPTED void watch_leave( struct watch_query *query )
{
    leave( query );
}

/***********************************************************************
 *           watch_take_marked
 *
 * Makes the pages of [start, end) not written, which lies in one group of the bitmap, and returns
 * which of them were, one bit each. On failure *err is set, and all of them are written. In a step.
 */
UNINTERRUPTED uint64_t watch_take_marked( struct watch_query *query, uintptr_t start, uintptr_t end,
                                          int *err )
{
    struct watch_region *region = query->region;
    uint64_t bits = saved_take( region->saved, start, end );
    struct page_run runs[33];
    uintptr_t addr, next;
    int i, count = 0;

    for (addr = start; addr < end; addr = next)
    {
        count = scan( region, addr, end, 1, runs, 33, (size_t)64 << (region->shift - page_shift), &next );
        if (count < 0) break;
        for (i = 0; i < count; i++)
            for (; runs[i].start < runs[i].end; runs[i].start += (uintptr_t)1 << region->shift)
                bits |= 1ull << ((runs[i].start - start) >> region->shift);
    }
    if (count >= 0 && bits) count = arm_marked( region, start, bits );
    *err = count < 0 ? count : 0;
    if (count < 0) mark_written( region, start, end );
    return bits;
}

/***********************************************************************
 *           watch_mark_written
 *
 * In a step.
 */
UNINTERRUPTED void watch_mark_written( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    mark_written( query->region, start, end );
}
