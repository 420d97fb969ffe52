/*
 * The engine: calls that drop contents of watched memory, or take access away
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "engine/backend.h"
#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/region.h"
#include "engine/watch.h"
#include "sys/advise.h"
#include "sys/lock_order.h"
#include "sys/raw_syscall.h"

/* allocates the marks of all regions in a range, so that saving cannot fail; change lock held */
static int prepare_regions( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;

    assert_locked( LOCK_CHANGES );
    for (; (region = region_first( start, end )); start = region->end)
        if (!region_marks( region )) return -ENOMEM;
    return 0;
}

/* sets the state of all regions in a range; change lock held */
static void set_states( uintptr_t start, uintptr_t end, enum region_state state )
{
    struct watch_region *region;

    for (; (region = region_first( start, end )); start = region->end)
        region_set_state( region, state );
}

/***********************************************************************
 *           drop_contents
 *
 * Saves the written state of a part of a region and drops its contents. The region is closed to
 * queries, which could otherwise find a page both in the kernel and among the marks, and report it
 * twice. If saving fails the whole part counts as written. Checking whether anything is there is
 * cheaper than dropping nothing. Change lock held.
 */
static int drop_contents( struct watch_region *region, uintptr_t start, uintptr_t end,
                          enum discard_reason reason )
{
    int there = 1;

    if (region->backend->save && (there = region->backend->save( region, start, end )) < 0)
        region_mark_written( region, start, end );
    return there ? region->backend->discard( region, start, end, reason ) : 0;
}

/* the same for all regions in a range, and for the memory between them */
static int drop_range( uintptr_t start, uintptr_t end, enum discard_reason reason )
{
    struct watch_region *region;
    uintptr_t next;
    int ret = 0;

    assert_locked( LOCK_CHANGES );
    for (; !ret && start < end; start = next)
    {
        region = region_first( start, end );
        next = region && region->end < end ? region->end : end;
        if (region && region->base <= start)
        {
            ret = drop_contents( region, start, next, reason );
            continue;
        }
        if (region) next = region->base;
        ret = advise( (void *)start, next - start, MADV_DONTNEED );
    }
    return ret;
}

/* mprotect() for a range that contains regions, or parts of regions; change lock held */
static int protect_regions( uintptr_t start, uintptr_t end, int prot )
{
    struct watch_region *region;
    uintptr_t next;
    int ret = 0;

    assert_locked( LOCK_CHANGES );
    for (; !ret && start < end; start = next)
    {
        region = region_first( start, end );
        if (region && region->backend->protect)
        {
            if (region->base <= start)
            {
                next = region->end < end ? region->end : end;
                ret = region->backend->protect( region, start, next, prot );
                continue;
            }
            next = region->base;
        }
        /* cover as much as possible in one call */
        else if (region) next = region->end < end ? region->end : end;
        else next = end;
        ret = raw_syscall3( SYS_mprotect, start, next - start, prot );
    }
    return ret;
}

/***********************************************************************
 *           watch_protect
 *
 * mprotect() for memory with watched pages. Written state is unaffected (row 13).
 */
int watch_protect( void *base, size_t size, int prot )
{
    int ret;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    ret = protect_regions( (uintptr_t)base, (uintptr_t)base + size, prot );
    change_unlock();
    return ret;
}

/***********************************************************************
 *           watch_commit
 *
 * Prepares the watched pages of a range that the program is about to get access to; must be called
 * before it does. Pages that were committed before keep their state (row 15). On failure, for
 * whatever reason, the memory must not become accessible: a page that is only read would count as
 * written.
 */
int watch_commit( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct watch_region *region;
    int ret = 0;

    if (fork_is_unhandled()) return -EIO;
    if (!watch_needs_commit() || !watch_overlaps( base, size )) return 0;
    change_lock();
    for (; !ret && (region = region_first( start, end )); start = region->end)
        if (region->backend->commit)
            ret = region->backend->commit( region, region->base > start ? region->base : start,
                                           region->end < end ? region->end : end );
    change_unlock();
    return ret;
}

/***********************************************************************
 *           drop_watched
 *
 * Drops the contents of a range for a reason. A decommit takes the access away first: a concurrent
 * write is either reported or faults. Fails with ENOMEM, and then changes nothing.
 */
static int drop_watched( void *base, size_t size, enum discard_reason reason )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    int ret;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    ret = prepare_regions( start, end );
    if (!ret && reason == DISCARD_DECOMMIT) ret = protect_regions( start, end, PROT_NONE );
    if (!ret)
    {
        set_states( start, end, REGION_CLOSED );
        ret = drop_range( start, end, reason );
        set_states( start, end, REGION_OPEN );
    }
    change_unlock();
    return ret;
}

/***********************************************************************
 *           watch_discard
 *
 * Drops the contents of pages, which become zero, and keeps the written state of those that are
 * watched (row 31). madvise() alone would lose the state, and leave a block known as full that no
 * longer is. A concurrent write is either dropped with its contents or reported. Fails with ENOMEM,
 * and then changes nothing.
 */
int watch_discard( void *base, size_t size )
{
    return drop_watched( base, size, DISCARD_RESET );
}

/***********************************************************************
 *           watch_decommit
 *
 * Takes pages away from the program as a new mapping without access would, but keeps them
 * registered and their written state known (row 15). Fails with ENOMEM, and then changes nothing.
 */
int watch_decommit( void *base, size_t size )
{
    return drop_watched( base, size, DISCARD_DECOMMIT );
}
