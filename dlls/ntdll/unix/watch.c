/*
 * The engine: what changes watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page.h"
#include "query.h"
#include "watch.h"

unsigned int page_shift = 12;

const struct watch_backend *active_backend;

struct watch_stats watch_stats;

static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;

/***********************************************************************
 *           lock_regions
 *
 * With all signals blocked, so that no thread is suspended or ended while it holds the lock.
 */
static void lock_regions( sigset_t *sigset )
{
    sigset_t all;

    sigfillset( &all );
    sigprocmask( SIG_BLOCK, &all, sigset );
    pthread_mutex_lock( &regions_mutex );
}

static void unlock_regions( const sigset_t *sigset )
{
    pthread_mutex_unlock( &regions_mutex );
    sigprocmask( SIG_SETMASK, sigset, NULL );
}

/***********************************************************************
 *           watch_open
 *
 * Opens the first backend that works here. Once, while there is one thread. On failure returns
 * -errno, reason says why in a form that follows "not active: ".
 */
int watch_open( char *reason, size_t len )
{
    page_shift = __builtin_ctzl( sysconf( _SC_PAGESIZE ));
    if (!(active_backend = open_backend( reason, len ))) return -ENOTSUP;
    return 0;
}

/***********************************************************************
 *           watch_close
 *
 * Undoes watch_open(); nothing may have been watched.
 */
void watch_close(void)
{
    active_backend->close();
    active_backend = NULL;
}

const char *watch_backend_name(void)
{
    return active_backend ? active_backend->name : NULL;
}

const char *watch_mechanism(void)
{
    return active_backend ? active_backend->mechanism : NULL;
}

/***********************************************************************
 *           watch_add
 *
 * Makes freshly mapped memory a region of its own, in which nothing is written yet (rows 11, 32).
 * Fails with what the backend says (EBUSY: another userfaultfd owns it), or ENOMEM.
 */
int watch_add( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    sigset_t sigset;
    int ret;

    lock_regions( &sigset );
    if (!(ret = region_remove( start, end )) && !(ret = active_backend->attach( base, size )))
        ret = region_insert( start, end );
    if (!ret) watch_stats.regions++;
    unlock_regions( &sigset );
    return ret;
}

/***********************************************************************
 *           watch_remove
 *
 * Forgets memory that goes away or turns into something else; what is left of a region on either side
 * remains watched (rows 32, 37). To be called before the mapping changes. Without memory to split a
 * region, all of it can no longer be queried.
 */
void watch_remove( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct watch_region *region;
    sigset_t sigset;

    if (!region_overlaps( start, end )) return;
    lock_regions( &sigset );
    if (region_remove( start, end ))
        for (; (region = region_first( start, end )); start = region->end)
            __atomic_store_n( &region->lost, 2, __ATOMIC_SEQ_CST );
    unlock_regions( &sigset );
}

/***********************************************************************
 *           save_written
 *
 * Moves the written state of a part of a region from the kernel to the bitmap. The region is closed to
 * queries, which otherwise could find a page in both and report it twice. If the kernel fails the
 * whole part counts as written.
 */
static void save_written( struct saved_pages *saved, uintptr_t start, uintptr_t end )
{
    struct page_run runs[64];
    uintptr_t next;
    int i, count;

    while (start < end)
    {
        count = active_backend->scan( start, end, SCAN_RESET, runs, 64, end - start, &next );
        if (count < 0)
        {
            saved_set( saved, start, end );
            return;
        }
        for (i = 0; i < count; i++) saved_set( saved, runs[i].start, runs[i].end );
        start = next;
    }
}

/* makes the bitmaps of all regions of a range, so that saving cannot fail; the lock is held */
static int prepare_regions( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;

    for (; (region = region_first( start, end )); start = region->end)
        if (!region_saved_pages( region )) return -ENOMEM;
    return 0;
}

/* sets the state of all regions of a range; the lock is held */
static void set_states( uintptr_t start, uintptr_t end, unsigned int state )
{
    struct watch_region *region;

    for (; (region = region_first( start, end )); start = region->end)
        region_set_state( region, state );
}

/* saves all regions of a range, which are closed; the lock is held */
static void save_regions( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;

    for (; (region = region_first( start, end )); start = region->end)
        save_written( region->saved, region->base > start ? region->base : start,
                      region->end < end ? region->end : end );
}

/***********************************************************************
 *           watch_save
 *
 * Keeps the written state of pages whose contents are about to be dropped (row 31). A write that is
 * made at the same time is dropped together with what it wrote. Fails with ENOMEM, nothing changed.
 */
int watch_save( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    sigset_t sigset;
    int ret;

    if (!region_overlaps( start, end )) return 0;
    lock_regions( &sigset );
    if (!(ret = prepare_regions( start, end )))
    {
        set_states( start, end, REGION_CLOSED );
        save_regions( start, end );
        set_states( start, end, REGION_OPEN );
    }
    unlock_regions( &sigset );
    return ret;
}

/***********************************************************************
 *           watch_decommit
 *
 * Takes pages away from the program as a new mapping without access would, but keeps them registered
 * and their written state known (row 15). Access goes first: a write that is made at the same time
 * either is seen as written or faults. Fails with ENOMEM, nothing changed.
 */
int watch_decommit( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    sigset_t sigset;
    int ret;

    lock_regions( &sigset );
    if (!(ret = prepare_regions( start, end )))
    {
        if (mprotect( base, size, PROT_NONE )) ret = -errno;
        else
        {
            set_states( start, end, REGION_CLOSED );
            save_regions( start, end );
            ret = active_backend->discard( base, size );
            set_states( start, end, REGION_OPEN );
        }
    }
    unlock_regions( &sigset );
    return ret;
}

/***********************************************************************
 *           watch_lock_pages
 *
 * mlock() for watched memory: a page does not become written by it (row 23).
 */
int watch_lock_pages( const void *base, size_t size )
{
    return active_backend->lock( base, size );
}

int watch_contains( const void *base, size_t size )
{
    return region_contains( (uintptr_t)base, (uintptr_t)base + size );
}

int watch_overlaps( const void *base, size_t size )
{
    return region_overlaps( (uintptr_t)base, (uintptr_t)base + size );
}
