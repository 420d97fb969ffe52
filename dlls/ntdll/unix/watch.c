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
#include <sys/syscall.h>
#include <unistd.h>

#include "page.h"
#include "backend.h"
#include "watch.h"
#include "writable.h"

unsigned int page_shift = 12;

/* set by watch_open() */
static const struct watch_backend *first_backend;

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
 * Opens the backend of a name, or the first automatic one that works here for NULL. Once, while there
 * is one thread. On failure returns -errno, reason says why in a form that follows "not active: ".
 */
int watch_open( const char *name, char *reason, size_t len )
{
    page_shift = __builtin_ctzl( sysconf( _SC_PAGESIZE ));
    if (!(first_backend = open_backend( name, reason, len ))) return -ENOTSUP;
    writable_open();
    return 0;
}

/***********************************************************************
 *           watch_close
 *
 * Undoes watch_open(); nothing may have been watched.
 */
void watch_close(void)
{
    close_backends();
    writable_close();
    first_backend = NULL;
}

const char *watch_backend_name(void)
{
    return first_backend ? first_backend->name : NULL;
}

const char *watch_mechanism(void)
{
    return first_backend ? first_backend->mechanism : NULL;
}

/***********************************************************************
 *           watch_add
 *
 * Makes freshly mapped memory a region of its own, in which nothing is written yet (rows 11, 32). A
 * region that a backend cannot take goes to the next one. Fails with what the first one said
 * (EBUSY: another userfaultfd owns it), or ENOMEM.
 */
int watch_add( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    const struct watch_backend *backend;
    struct watch_region *region;
    sigset_t sigset;
    int ret, first_error = 0;

    lock_regions( &sigset );
    ret = region_remove( start, end );
    for (backend = first_backend; !ret && backend; backend = open_next_backend( backend ))
    {
        if (!(region = region_insert( start, end, backend ))) ret = -ENOMEM;
        else if (!(ret = backend->attach( region ))) break;
        else
        {
            if (!first_error) first_error = ret;
            ret = region_remove( start, end );
        }
    }
    if (!ret && !backend) ret = first_error;
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
static void save_written( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct saved_pages *saved = region->saved;
    struct page_run runs[64];
    uintptr_t next;
    int i, count;

    if (!region->backend->scan) return;
    while (start < end)
    {
        count = region->backend->scan( region, start, end, SCAN_RESET, runs, 64, end - start, &next );
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
        save_written( region, region->base > start ? region->base : start,
                      region->end < end ? region->end : end );
}

/* drops the contents of all regions of a range; the lock is held */
static int discard_regions( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;
    int ret = 0;

    for (; !ret && (region = region_first( start, end )); start = region->end)
        ret = region->backend->discard( region, region->base > start ? region->base : start,
                                        region->end < end ? region->end : end );
    return ret;
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
            ret = discard_regions( start, end );
            set_states( start, end, REGION_OPEN );
        }
    }
    unlock_regions( &sigset );
    return ret;
}

/***********************************************************************
 *           watch_lock_pages
 *
 * mlock() for memory with watched pages: no page becomes written by it (row 23).
 */
int watch_lock_pages( const void *base, size_t size )
{
    struct watch_region *region;
    sigset_t sigset;
    int (*lock)( const void *, size_t ) = NULL;

    lock_regions( &sigset );
    if ((region = region_first( (uintptr_t)base, (uintptr_t)base + size ))) lock = region->backend->lock;
    unlock_regions( &sigset );
    if (lock) return lock( base, size );
    return syscall( SYS_mlock, base, size ) ? -errno : 0;
}

int watch_contains( const void *base, size_t size )
{
    return region_contains( (uintptr_t)base, (uintptr_t)base + size );
}

int watch_overlaps( const void *base, size_t size )
{
    return region_overlaps( (uintptr_t)base, (uintptr_t)base + size );
}
