/*
 * The engine: calls that change what is watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/fork.h"
#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/region.h"
#include "engine/watch.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"

/* set by watch_open() */
static const struct watch_backend *first_backend;

void (*region_added)( struct watch_region *region );

/***********************************************************************
 *           watch_open
 *
 * Opens the backend of that name, or for NULL the first automatic one that works here. Called once,
 * while there is one thread. On failure returns -errno, and reason says why in words that follow
 * "not active: ".
 */
int watch_open( const char *name, char *reason, size_t len )
{
    int ret;

    page_init();
    cpu_init();
    if ((ret = fork_open()))
    {
        snprintf( reason, len, "cannot detect child processes: %s", strerror( -ret ));
        return ret;
    }
    if (!(first_backend = open_backend( name, reason, len ))) return -ENOTSUP;
    return 0;
}

/* undoes watch_open(); nothing may have been watched */
void watch_close(void)
{
    close_backends();
    first_backend = NULL;
}

const char *watch_backend_name(void)
{
    return first_backend ? first_backend->name : NULL;
}

const struct watch_backend *watch_backend(void)
{
    return first_backend;
}

const char *watch_mechanism(void)
{
    return first_backend ? first_backend->mechanism : NULL;
}

const char *watch_form_reason(void)
{
    return first_backend ? form_reason( first_backend ) : "";
}

unsigned int watch_capabilities( const struct watch_backend *backend,
                                 const struct watch_region *region, int anonymous )
{
    unsigned int ret = backend->capabilities( region, anonymous );

    if (!backend->signal) ret |= CAN_BLOCK_SIGNALS;
    if (backend->fill && backend->serve) ret |= CAN_FILL;
    return ret;
}

int watch_needs_commit(void)
{
    return first_backend && first_backend->commit;
}

/***********************************************************************
 *           remove_regions
 *
 * Stops watching a range. Regions are closed while their backend forgets them: a fault that was
 * delivered before waits until they are removed, and happens again. Without memory to split a
 * region, all queries of it fail from now on. Change lock held.
 */
static int remove_regions( uintptr_t start, uintptr_t end, enum detach_reason reason )
{
    struct watch_region *region;
    uintptr_t addr;
    int ret;

    assert_locked( LOCK_CHANGES );
    for (addr = start; (region = region_first( addr, end )); addr = region->end)
    {
        region_set_state( region, REGION_CLOSED );
        region->backend->detach( region, region->base > addr ? region->base : addr,
                                 region->end < end ? region->end : end, reason );
    }
    if (!(ret = region_remove( start, end ))) return 0;
    for (addr = start; (region = region_first( addr, end )); addr = region->end)
    {
        __atomic_store_n( &region->lost, LOST_MEMORY, __ATOMIC_SEQ_CST );
        region_set_state( region, REGION_OPEN );
    }
    return ret;
}

/***********************************************************************
 *           watch_add_as
 *
 * Makes memory of some kind a region of its own, in which nothing is written yet (rows 11, 32).
 * shift is log2 of its page size. A region that a backend cannot watch goes to the next one. Fails
 * with the error of the first one (EBUSY: another userfaultfd owns the memory), or ENOMEM.
 */
int watch_add_as( void *base, size_t size, enum memory_kind kind, unsigned int shift )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    const struct watch_backend *backend;
    struct watch_region *region = NULL;
    int ret, first_error = 0;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    /* the mappings of older regions in the place of fresh memory are gone already */
    ret = kind == REGION_FRESH ? region_remove( start, end )
                               : remove_regions( start, end, DETACH_UNMAP );
    for (backend = first_backend; !ret && backend; backend = open_next_backend( backend ))
    {
        if (!(region = region_insert_as( start, end, backend, kind, shift ))) ret = -ENOMEM;
        else if (!(ret = backend->attach( region ))) break;
        else
        {
            if (!first_error) first_error = ret;
            ret = region_remove( start, end );
        }
    }
    if (!ret && !backend) ret = first_error;
    else if (!ret && first_error) note_moved_region( first_backend, backend, first_error );
    if (!ret && region_added) region_added( region );
    change_unlock();
    return ret;
}

/* the same for freshly mapped private memory */
int watch_add( void *base, size_t size )
{
    return watch_add_as( base, size, REGION_FRESH, page_shift );
}

/***********************************************************************
 *           watch_remove
 *
 * Forgets memory that is about to be unmapped or replaced; what is left of a region on either side
 * remains watched (rows 32, 37). Must be called before the mapping changes. Without memory to split
 * a region, all queries of it fail from now on.
 */
void watch_remove( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;

    if (fork_is_unhandled() || !watch_overlaps( base, size )) return;
    change_lock();
    remove_regions( start, end, DETACH_UNMAP );
    change_unlock();
}

/***********************************************************************
 *           watch_detach
 *
 * Forgets memory that stays mapped, and leaves it as it would be without a watch. Fails with ENOENT
 * if no page is watched, or ENOMEM: then all queries of a region fail from now on.
 */
int watch_detach( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    int ret = -ENOENT;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if (region_first( start, end )) ret = remove_regions( start, end, DETACH_KEEP );
    change_unlock();
    return ret;
}

/***********************************************************************
 *           watch_take_away
 *
 * watch_detach() for a part of one region whose state take() copies first, in the same change.
 * Fails with ENOENT, or what take() returns, and then changes nothing; or as watch_detach() does.
 */
int watch_take_away( void *base, size_t size, int (*take)( struct watch_region *, void * ),
                     void *data )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct watch_region *region;
    int ret = -ENOENT;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if ((region = region_find( start, end )))
    {
        region_set_state( region, REGION_CLOSED );
        if (!(ret = take( region, data ))) ret = remove_regions( start, end, DETACH_KEEP );
        else region_set_state( region, REGION_OPEN );
    }
    change_unlock();
    return ret;
}

/***********************************************************************
 *           watch_serve
 *
 * Makes accesses to missing pages wait until a thread fills them; the range lies in one region.
 * Returns the userfaultfd that reports them. Fails with ENOENT, or EOPNOTSUPP if the backend cannot
 * do it.
 */
int watch_serve( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct watch_region *region;
    int ret;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if (!(region = region_find( start, end ))) ret = -ENOENT;
    else if (!region->backend->serve) ret = -EOPNOTSUPP;
    else ret = region->backend->serve( region, start, end );
    change_unlock();
    return ret;
}

/***********************************************************************
 *           watch_verify
 *
 * Whether memory is still what was watched; checks all of the region that holds it. Queries look
 * for holes only in their range, and only where the program has mapped the memory itself: that
 * costs a sixth of a small query. Returns 0, or fails with ENOENT (not in one region), ENOMEM (a
 * part is not mapped), EPERM (a part is other memory, or has lost its registration), EIO (in a
 * child that was made without the C library) or EAGAIN (thread: the program is unmapping watched
 * memory).
 */
int watch_verify( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct watch_region *region;
    int ret;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if (!(region = region_find( start, end ))) ret = -ENOENT;
    /* only checks whether memory is mapped */
    else if (!(ret = raw_syscall3( SYS_msync, region->base, region->end - region->base,
                                   MS_ASYNC )) && region->backend->verify)
        ret = region->backend->verify( region );
    if (!ret && __atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) & LOST_MEMORY) ret = -EPERM;
    change_unlock();
    return ret;
}

/***********************************************************************
 *           watch_mlock
 *
 * mlock() for memory with watched pages: does not make any page written (row 23).
 */
int watch_mlock( const void *base, size_t size )
{
    struct watch_region *region;
    int (*lock_memory)( const void *, size_t ) = NULL;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if ((region = region_first( (uintptr_t)base, (uintptr_t)base + size )))
        lock_memory = region->backend->mlock_pages;
    change_unlock();
    if (lock_memory) return lock_memory( base, size );
    return syscall( SYS_mlock, base, size ) ? -errno : 0;
}

/* might not return: a thread that was terminated meanwhile exits on the way out */
int watch_contains( const void *base, size_t size )
{
    int ret = region_contains( (uintptr_t)base, (uintptr_t)base + size );

    leave_uninterrupted_code();
    return ret;
}

/* might not return, like watch_contains() */
int watch_overlaps( const void *base, size_t size )
{
    int ret = region_overlaps( (uintptr_t)base, (uintptr_t)base + size );

    leave_uninterrupted_code();
    return ret;
}
