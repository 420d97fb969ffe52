/*
 * Write tracking by mprotect() and SIGSEGV, on any Linux
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/region.h"
#include "engine/selftest.h"
#include "fault/backends.h"
#include "fault/fault.h"
#include "fault/mprotect_pages.h"
#include "fault/look.h"
#include "fault/own_memory.h"
#include "sys/advise.h"
#include "sys/descriptor.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"

/* An armed page has the protection that the program wants, minus write access (mprotect_pages.h).
 * System calls that write to an armed page fail with EFAULT.
 *
 * While no fault and no step of a query is in progress, every page that is not armed is marked. A
 * page that is both armed and marked does no harm. */

#define MAX_DETACH_TRIES 16

static int memory = -1;   /* /proc/self/mem */
static struct descriptor_id memory_id;

long mprotect_map_limit;

/***********************************************************************
 *           unite
 *
 * Parts of a mapping that was split merge again only if it had a page of its own before the split.
 * Otherwise each part gets an anon_vma (list of the mappings of its pages) of its own. So this
 * makes one page, by writing back its contents past its protection. The page is armed, so no other
 * thread writes to it. Where that is not allowed there are more mappings than are counted. The lock
 * is held.
 */
static void unite( const struct watch_region *region, uintptr_t addr )
{
    char byte;

    if (region->kind == REGION_MIXED) return;   /* the page could be a file's */
    if (descriptor_check( memory, &memory_id )) return;
    if (pread( memory, &byte, 1, addr ) == 1 && pwrite( memory, &byte, 1, addr ) != 1) return;
}

static int mprotect_arm( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    int ret;

    pages_lock();
    ret = pages_set_armed( region, start, end, ARMED );
    pages_unlock();
    return ret;
}

/***********************************************************************
 *           mprotect_fault
 *
 * If the page is open, another thread has opened it, or the program has protected it itself. That
 * is undone: programs have to use watch_protect(). What the kernel refuses is tried again, until
 * the fault has repeated so often that it must reach the program.
 */
static int mprotect_fault( struct watch_region *region, uintptr_t start, uintptr_t end,
                           unsigned int flags )
{
    unsigned int page;
    int ret;

    if (!(flags & FAULT_WRITE)) return 0;
    pages_lock();
    page = get_flags( start );
    ret = (page & KNOWN) && (page & PROT_WRITE) && !((flags & FAULT_REPEAT) && !(page & ARMED)) &&
          (!pages_set_armed( region, start, end, 0 ) || !(flags & FAULT_REPEAT));
    pages_unlock();
    return ret;
}

/* for maps_for_each() on the range that is being attached; under the change lock */
static int set_wanted( uintptr_t start, uintptr_t end, int prot )
{
    for (; start < end; start += page_size()) *flags_at( start ) = prot | KNOWN | ARMED;
    return 0;
}

static void clear_flags( uintptr_t start, uintptr_t end )
{
    for (; start < end; start += page_size()) *flags_at( start ) = 0;
}

/* Whether a page can be read. A system call tries that, since faults are blocked: the kernel reads
 * a path from the page. */
static int has_access( uintptr_t addr )
{
    return raw_syscall3( SYS_faccessat, AT_FDCWD, addr, F_OK ) != -EFAULT;
}

/***********************************************************************
 *           find_wanted
 *
 * Takes over the protection that the memory has. Where /proc is missing or no descriptor is left,
 * that works only for memory without access, which all has the same protection. Fresh memory has no
 * access when the memory manager hands it over. The lock is held.
 */
static int find_wanted( const struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end;
    int ret = maps_for_each( start, end, set_wanted );

    if (!ret || region->kind != REGION_FRESH) return ret;
    if (has_access( start ) || has_access( end - page_size() )) return ret;
    return set_wanted( start, end, PROT_NONE );
}

static int mprotect_attach( struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end, addr;
    int ret;

    if ((ret = own_memory_check( region ))) return ret;
    if (region->kind != REGION_FRESH && page_flags_use_memory( &mprotect_flags, start, end ))
        return -EDEADLK;
    if (!region_marks( region )) return -ENOMEM;

    pages_lock();
    if (!(ret = page_flags_make( &mprotect_flags, start, end )))
    {
        pages_begin_change( start, end );
        if (!(ret = find_wanted( region )) && (ret = pages_apply( start, end, ARMED )))
            pages_apply( start, end, 0 );
        for (addr = start; !ret && addr < end; addr += page_size())
        {
            unsigned int before = addr == start ? 0 : get_flags( addr - page_size() );

            if (get_flags( addr ) & ~before & PROT_WRITE) unite( region, addr );
        }
        if (ret) clear_flags( start, end );
        pages_end_change( start, end );
    }
    pages_unlock();
    return ret;
}

/* for maps_for_each(): whether pages have the protection that their flags say */
static int is_as_known( uintptr_t start, uintptr_t end, int prot )
{
    for (; start < end; start += page_size())
        if (real_protection( get_flags( start ) ) != prot) return -EPERM;
    return 0;
}

/***********************************************************************
 *           mprotect_verify
 *
 * Other memory with the same protection goes unnoticed.
 */
static int mprotect_verify( struct watch_region *region )
{
    int ret;

    pages_lock();
    ret = maps_for_each( region->base, region->end, is_as_known );
    pages_unlock();
    return ret;
}

/***********************************************************************
 *           mprotect_detach
 *
 * The memory may be gone, so a failure is no error. If it is still there the program must not be
 * left with memory that it cannot write to, so a failed attempt is repeated.
 */
static void mprotect_detach( struct watch_region *region, uintptr_t start, uintptr_t end,
                             enum detach_reason reason )
{
    unsigned int tries;

    (void)region;
    (void)reason;
    fault_forget();
    pages_lock();
    pages_begin_change( start, end );
    for (tries = 0; tries < MAX_DETACH_TRIES; tries++)
        if (!pages_apply( start, end, 0 )) break;
    clear_flags( start, end );
    pages_end_change( start, end );
    pages_unlock();
    fault_forget();
}

/***********************************************************************
 *           mprotect_protect
 *
 * As with mprotect(), some of the pages may have the new protection on failure.
 */
static int mprotect_protect( struct watch_region *region, uintptr_t start, uintptr_t end, int prot )
{
    uintptr_t first = start, next;
    int ret = 0;

    if (prot & ~WANTED) return -EINVAL;
    pages_lock();
    pages_begin_change( start, end );
    for (next = start; next < end && !ret; start = next)
    {
        unsigned int flags = get_flags( start ), armed = flags & ARMED;

        while (next < end && (get_flags( next ) & ARMED) == armed) next += page_size();
        if ((ret = pages_protect( start, next, real_protection( prot | armed )))) break;
        if (armed && (prot & PROT_WRITE) && !(flags & PROT_WRITE)) unite( region, start );
        for (; start < next; start += page_size()) *flags_at( start ) = prot | armed | KNOWN;
    }
    pages_end_change( first, end );
    pages_unlock();
    return ret;
}

static int mprotect_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                             enum discard_reason reason )
{
    (void)reason;
    (void)region;
    return discard_pages( start, end );
}

/* protection is of the mapping and not of the page, which may go */
static unsigned int mprotect_capabilities( const struct watch_region *region, int anonymous )
{
    (void)region;
    (void)anonymous;
    return CAN_DROP | CAN_LIST_SWAPPED;
}

static int mprotect_check(void)
{
    return fault_handler_check( SIGSEGV );
}

static void open_memory(void)
{
    if (memory != -1) return;
    memory = descriptor_raise( open( "/proc/self/mem", O_RDWR | O_CLOEXEC ));
    descriptor_identify( memory, &memory_id );
}

/***********************************************************************
 *           mprotect_reopen
 *
 * The parent's descriptor leads to the parent's memory. A thread that does not exist in the child
 * may have held the lock and been about to change a page. But a change of the wanted protection
 * also takes the change lock, so it is complete.
 */
static int mprotect_reopen(void)
{
    pages_free_lock();
    if (memory == -1) return 0;
    descriptor_close( &memory, &memory_id );
    open_memory();
    return 0;
}

/***********************************************************************
 *           mprotect_reattach
 *
 * Opens all pages that the program has access to, so nothing depends on which were armed. No lock:
 * this is the only thread, and may raise faults itself.
 */
static int mprotect_reattach( struct watch_region *region )
{
    uintptr_t addr;

    if (region->kind != REGION_FRESH) region_mark_written( region, region->base, region->end );
    for (addr = region->base; addr < region->end; addr += page_size())
    {
        if (!(get_flags( addr ) & WANTED)) continue;
        region_mark_written( region, addr, addr + page_size() );
        *flags_at( addr ) &= ~ARMED;
    }
    return pages_apply( region->base, region->end, 0 );
}

/* half of the mappings that a process may have */
static long read_max_splits(void)
{
    char text[32];
    int fd = open( "/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC );
    ssize_t len = fd == -1 ? 0 : read( fd, text, sizeof(text) - 1 );

    if (fd != -1) close( fd );
    if (len <= 0) return 65530 / 2;
    text[len] = 0;
    return strtol( text, NULL, 10 ) / 2;
}

static void mprotect_close(void)
{
    descriptor_close( &memory, &memory_id );
}

static int mprotect_open( char *reason, size_t len )
{
    int ret;

    pages_limit_splits( mprotect_map_limit ? mprotect_map_limit / 2 : read_max_splits() );
    if ((ret = fault_handler_install()))
    {
        snprintf( reason, len, "no handler can be installed: %s", strerror( -ret ));
        return ret;
    }
    open_memory();
    if ((ret = selftest_faults( &mprotect_backend, reason, len ))) mprotect_close();
    return ret;
}

const struct watch_backend mprotect_backend =
{
    .name             = "mprotect",
    .mechanism        = "mprotect with SIGSEGV",
    .automatic        = 1,
    .open             = mprotect_open,
    .reopen           = mprotect_reopen,
    .reattach         = mprotect_reattach,
    .close            = mprotect_close,
    .attach           = mprotect_attach,
    .detach           = mprotect_detach,
    .free_locks       = fault_free_locks,
    .collect_written  = fault_collect_nothing,
    .arm              = mprotect_arm,
    .max_marked_pages = MAX_ARMED_PAGES,
    .discard          = mprotect_discard,
    .verify           = mprotect_verify,
    .capabilities     = mprotect_capabilities,
    .protect          = mprotect_protect,
    .signal           = SIGSEGV,
    .fault            = mprotect_fault,
    .look             = look_at_private,
    .hold             = fault_hold,
    .release          = fault_release,
    .check            = mprotect_check,
};
