/*
 * Steps of queries: short, and never in the way of threads that wait for them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "engine/step.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"

static UNINTERRUPTED_PART void restore_mask( const struct watch_query *query )
{
    raw_syscall4( SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&query->signals, 0,
                  sizeof(query->signals) );
}

static UNINTERRUPTED_PART void block_signals( struct watch_query *query )
{
    uint64_t all = ~0ull;

    raw_syscall4( SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&all, (uintptr_t)&query->signals,
                  sizeof(all) );
}

/***********************************************************************
 *           begin_anew
 *
 * Begins the step if the region has become another one. Returns -ENOENT if the range no longer lies
 * in one region of the same kind, and 1 if it only has another table of the same backend, without a
 * step then.
 */
static UNINTERRUPTED_PART int begin_anew( struct watch_query *query )
{
    struct watch_region *region = query->region;
    const struct watch_backend *backend;
    unsigned int shift;

    while (!query->step)
    {
        if (!(region = region_find( query->start, query->end ))) return -ENOENT;
        query->step = region_enter( region, query->start, query->end );
    }
    query->region = region;
    if (is_same_kind( query )) return 0;
    shift   = region->shift;
    backend = __atomic_load_n( &region->backend, __ATOMIC_RELAXED );
    region_leave( region, query->step );
    if (shift != query->shift || original_backend( backend ) != original_backend( query->backend ))
        return -ENOENT;
    query->backend = backend;
    return 1;
}

/* the rest of watch_enter(), if the region has become another one */
UNINTERRUPTED int enter_anew( struct watch_query *query )
{
    int ret;

    while ((ret = begin_anew( query )) > 0)
    {
        if (query->backend->hold) return enter_held( query );
        query->step = STEP_NONE;
    }
    return ret;
}

/***********************************************************************
 *           enter_held
 *
 * watch_enter() where faults are served, or where there are trackers. Signals are blocked before
 * the step begins: a handler of the program that interrupts our step and writes to the region would
 * fault, and wait for that step.
 */
UNINTERRUPTED int enter_held( struct watch_query *query )
{
    int ret;

    do
    {
        ret = 0;
        block_signals( query );
        query->step = region_enter( query->region, query->start, query->end );
        if (!query->step || !is_same_kind( query )) ret = begin_anew( query );
        if (!ret)
        {
            query->backend->hold( query->region );
            return 0;
        }
        restore_mask( query );
    } while (ret > 0 && query->backend->hold);
    if (ret < 0) return ret;
    query->step = STEP_NONE;
    return enter_anew( query );
}

UNINTERRUPTED void leave_held( struct watch_query *query )
{
    query->backend->release( query->region );
    region_leave( query->region, query->step );
    restore_mask( query );
}

/***********************************************************************
 *           check_query
 *
 * Whether a query may be made; outside of a step. A scan skips holes silently, so the kernel is
 * asked about memory that the program has mapped itself, and may have unmapped: MS_ASYNC only looks
 * at the mappings. Returns -EFAULT for a hole, or the answer of the backend.
 */
UNINTERRUPTED int check_query( const struct watch_query *query )
{
    if (__atomic_load_n( &query->region->kind, __ATOMIC_RELAXED ) != REGION_FRESH &&
        raw_syscall3( SYS_msync, query->start, query->end - query->start, MS_ASYNC ))
        return -EFAULT;
    return query->backend->check ? query->backend->check() : 0;
}

/* pages that were taken but cannot be returned become written again, as far as they are watched */
UNINTERRUPTED void put_back( struct watch_query *query, uintptr_t start, uintptr_t end )
{
    struct watch_region *region;
    enum region_step step;

    if (!watch_enter( query ))
    {
        region_put_back( query->region, start, end );
        watch_leave( query );
        return;
    }
    for (; start < end; start += page_size())
        while ((region = region_find( start, start + page_size() )))
            if ((step = region_enter( region, start, start + page_size() )))
            {
                region_put_back( region, start, start + page_size() );
                region_leave( region, step );
                break;
            }
}

/* makes all pages written that a query with reset may have returned */
UNINTERRUPTED void watch_undo_all( struct watch_query *query )
{
    put_back( query, query->start, query->reached );
}

/***********************************************************************
 *           watch_undo
 *
 * Makes pages written again that a query with reset has stored already. Their addresses are read
 * back from the caller's array, which may be gone or hold other data by now. Stored addresses
 * ascend, and each is the start of a page that the query has covered; if any does not fit, all
 * pages that the query has covered become written.
 */
UNINTERRUPTED void watch_undo( struct watch_query *query, void **addresses, size_t count )
{
    const uintptr_t granule = (uintptr_t)1 << query->shift;
    uintptr_t next = query->start, addr;
    size_t i;

    for (i = 0; i < count; i++)
    {
        if (user_load_pointer( &addresses[i], &addr ) || addr < next || addr >= query->reached ||
            (addr & (granule - 1)))
        {
            watch_undo_all( query );
            return;
        }
        next = addr + granule;
        put_back( query, addr, next );
    }
}

/* in a step */
UNINTERRUPTED int arm_pages( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    return region->backend->arm ? region->backend->arm( region, start, end ) : 0;
}

/* arms the pages of a group whose marks were taken; in a step */
UNINTERRUPTED int arm_marked( struct watch_region *region, uintptr_t start, uint64_t bits )
{
    int ret = 0;

    while (bits && !ret)
    {
        unsigned int first = lowest_bit( bits ), count = 1;

        while (first + count < 64 && (bits >> (first + count) & 1)) count++;
        ret = arm_pages( region, start + ((uintptr_t)first << region->shift),
                         start + ((uintptr_t)(first + count) << region->shift) );
        bits &= first + count < 64 ? ~0ull << (first + count) : 0;
    }
    return ret;
}

/***********************************************************************
 *           watch_take_marked
 *
 * Resets the pages of [start, end), which lies in one group of the marks, and returns which of them
 * were written, one bit each. On failure *err is set, and all of them are written. In a step.
 */
UNINTERRUPTED uint64_t watch_take_marked( struct watch_query *query, uintptr_t start, uintptr_t end,
                                          int *err )
{
    struct watch_region *region = query->region;
    uint64_t bits = marks_take( region->marks, start, end );
    struct page_run runs[33];
    struct page_scan scan;
    int i, count = 0;

    scan.end       = end;
    scan.flags     = COLLECT_RESET;
    scan.runs      = runs;
    scan.len       = 33;
    scan.max_pages = (size_t)64 << (region->shift - page_shift);
    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        count = ask_backend( query, &scan );
        if (count < 0) break;
        for (i = 0; i < count; i++)
            for (; runs[i].start < runs[i].end; runs[i].start += (uintptr_t)1 << region->shift)
                bits |= 1ull << ((runs[i].start - start) >> region->shift);
    }
    if (count >= 0 && bits) count = arm_marked( region, start, bits );
    *err = count < 0 ? count : 0;
    if (count < 0) region_put_back( region, start, end );
    return bits;
}
