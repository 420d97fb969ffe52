/*
 * Write tracking by mprotect() and SIGSEGV, on any Linux
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
#include "fault/own_memory.h"
#include "fault/page_flags.h"
#include "sys/advise.h"
#include "sys/descriptor.h"
#include "sys/lock_order.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/wait_turn.h"

/* A page that is armed has the protection that the program wants, without writing. What it wants is
 * kept here for each page. System calls that write to an armed page fail with EFAULT.
 *
 * In settled state a page that is not armed is marked. The opposite is harmless.
 *
 * Where an armed page lies beside one that is not, the kernel has to split a mapping, of which a
 * process may have vm.max_map_count. Of these we take half at most, and then go by larger blocks,
 * of 16, 64, 256 ... pages: all of a block is opened and marked for one write, or armed for one
 * page. So more is reported than was written, or there are more faults, but nothing is lost and the
 * program can go on to map memory. */

#define MAX_DETACH_TRIES 16

#define WANTED 0x07   /* PROT_READ, PROT_WRITE, PROT_EXEC */
#define ARMED  0x08
#define KNOWN  0x10   /* watched by us */

static struct page_flags table;

/* The lock of all that follows and of the flags. Held with all signals blocked, and for some system
 * calls, which the kernel does one after the other anyway. */
static int lock_word;

static int memory = -1;   /* /proc/self/mem */
static struct descriptor_id memory_id;
static long splits;       /* pairs of neighbours of which one is armed,
                           * and wanted alike otherwise */
static long max_splits;

long mprotect_map_limit;

static void lock(void)
{
    unsigned int turns = 0;

    note_lock( LOCK_BACKEND );
    while (__atomic_exchange_n( &lock_word, 1, __ATOMIC_ACQUIRE )) wait_turn( &turns );
}

static void unlock(void)
{
    note_unlock( LOCK_BACKEND );
    __atomic_store_n( &lock_word, 0, __ATOMIC_RELEASE );
}

static uint8_t *flags_at( uintptr_t addr )
{
    return page_flags_at( &table, addr );
}

static unsigned int get_flags( uintptr_t addr )
{
    return page_flags_get( &table, addr );
}

static int real_protection( unsigned int flags )
{
    int prot = flags & WANTED;

    /* writing includes reading on most processors, and the program may count on it */
    if ((flags & ARMED) && (prot & PROT_WRITE)) prot = (prot & ~PROT_WRITE) | PROT_READ;
    return prot;
}

static int is_split( unsigned int left, unsigned int right )
{
    return (left & KNOWN) && (right & KNOWN) && (left & WANTED) == (right & WANTED) &&
           (left & PROT_WRITE) && (left ^ right) & ARMED;
}

/* The splits at and between the pages of a range: as it is, or if all of it were armed
 * or were not. */
static long count_splits( uintptr_t start, uintptr_t end, const unsigned int *armed )
{
    unsigned int left = get_flags( start - page_size() ), right;
    long count = 0;

    for (; start <= end; start += page_size(), left = right)
    {
        right = get_flags( start );
        if (armed && start < end) right = (right & ~ARMED) | *armed;
        count += is_split( left, right );
    }
    return count;
}

static int protect( uintptr_t start, uintptr_t end, int prot )
{
    return start < end ? raw_syscall3( SYS_mprotect, start, end - start, prot ) : 0;
}

/***********************************************************************
 *           unite
 *
 * Mappings that are made by splitting one merge again only if it had a page of its own before: each
 * of them would get its own list of who maps its pages. So one page is made, by writing to it what
 * is there, past its protection. It is armed, so nobody else writes to it. Where that is not
 * allowed there will be more mappings than we count. The lock is held.
 */
static void unite( const struct watch_region *region, uintptr_t addr )
{
    char byte;

    if (region->kind == REGION_MIXED) return;   /* it could be a file's */
    if (descriptor_check( memory, &memory_id )) return;
    if (pread( memory, &byte, 1, addr ) == 1 && pwrite( memory, &byte, 1, addr ) != 1) return;
}

/***********************************************************************
 *           apply
 *
 * Gives pages the protection that they have if all are armed, or none, in as few calls as possible.
 * The lock is held.
 */
static int apply( uintptr_t start, uintptr_t end, unsigned int armed )
{
    uintptr_t addr = start;
    int ret, prot = -1;

    for (; addr < end; addr += page_size())
    {
        int next = real_protection( (get_flags( addr ) & WANTED) | armed );

        if (next == prot) continue;
        if (prot != -1 && (ret = protect( start, addr, prot ))) return ret;
        start = addr;
        prot = next;
    }
    return protect( start, end, prot );
}

/***********************************************************************
 *           set_armed
 *
 * Opens pages that a write is let into, and marks them, or arms them. Where that needs too many
 * mappings, more than these. What fails leaves pages of which we know less: they count as open and
 * are marked. The lock is held.
 */
static int set_armed( struct watch_region *region, uintptr_t start, uintptr_t end,
                      unsigned int armed )
{
    uintptr_t size = 4 * page_size(), addr;
    int ret, whole;

    if (region->shift > page_shift + 2) size = (uintptr_t)1 << region->shift;

    for (;;)
    {
        long change = count_splits( start, end, &armed ) - count_splits( start, end, NULL );

        whole = start == region->base && end == region->end;
        if (whole || change <= 0 || splits + change <= max_splits)
        {
            ret = apply( start, end, armed );
            if (!ret || !armed || whole || ret != -ENOMEM)
            {
                splits -= count_splits( start, end, NULL );
                for (addr = start; addr < end; addr += page_size())
                {
                    uint8_t *flags = flags_at( addr );

                    if (!ret && armed) *flags |= ARMED;
                    else if (*flags & PROT_WRITE)
                    {
                        *flags &= ~ARMED;
                        region_mark_written( region, addr, addr + page_size() );
                    }
                }
                splits += count_splits( start, end, NULL );
            }
            if (!ret || whole || ret != -ENOMEM) return ret;
        }
        if ((size *= 4) > region->end - region->base) size = region->end - region->base;
        if (size == region->end - region->base)
        {
            start = region->base;
            end   = region->end;
            continue;
        }
        start = region->base + (start - region->base) / size * size;
        end   = region->base + (end - region->base + size - 1) / size * size;
        if (end > region->end) end = region->end;
    }
}

/***********************************************************************
 *           mprotect_arm
 */
static int mprotect_arm( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    int ret;

    lock();
    ret = set_armed( region, start, end, ARMED );
    unlock();
    return ret;
}

/***********************************************************************
 *           mprotect_fault
 *
 * A page that is open already was opened by another thread, or the program has protected it itself,
 * which is undone: it was to use watch_protect(). What the kernel refuses is tried again, until the
 * fault has repeated so often that it must reach the program.
 */
static int mprotect_fault( struct watch_region *region, uintptr_t start, uintptr_t end,
                           unsigned int flags )
{
    unsigned int page;
    int ret;

    if (!(flags & FAULT_WRITE)) return 0;
    lock();
    page = get_flags( start );
    ret = (page & KNOWN) && (page & PROT_WRITE) && !((flags & FAULT_REPEAT) && !(page & ARMED)) &&
          (!set_armed( region, start, end, 0 ) || !(flags & FAULT_REPEAT));
    unlock();
    return ret;
}

/* the range that is being attached; under the writers' lock */
static int set_wanted( uintptr_t start, uintptr_t end, int prot )
{
    for (; start < end; start += page_size()) *flags_at( start ) = prot | KNOWN | ARMED;
    return 0;
}

static void clear_flags( uintptr_t start, uintptr_t end )
{
    for (; start < end; start += page_size()) *flags_at( start ) = 0;
}

/* whether a page can be read; the kernel looks for a path there, as faults are blocked */
static int has_access( uintptr_t addr )
{
    return raw_syscall3( SYS_access, addr, F_OK, 0 ) != -EFAULT;
}

/***********************************************************************
 *           find_wanted
 *
 * Takes over the protection that the memory has. Where /proc is missing or no descriptor is left,
 * that is possible for memory without access, as fresh memory is when the memory manager hands it
 * over: all of it has the same protection then. The lock is held.
 */
static int find_wanted( const struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end;
    int ret = maps_for_each( start, end, set_wanted );

    if (!ret || region->kind != REGION_FRESH) return ret;
    if (has_access( start ) || has_access( end - page_size() )) return ret;
    return set_wanted( start, end, PROT_NONE );
}

/***********************************************************************
 *           mprotect_attach
 */
static int mprotect_attach( struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end, addr;
    int ret;

    if ((ret = own_memory_check( region ))) return ret;
    if (region->kind != REGION_FRESH && page_flags_use_memory( &table, start, end ))
        return -EDEADLK;
    if (!region_marks( region )) return -ENOMEM;

    lock();
    if (!(ret = page_flags_make( &table, start, end )))
    {
        splits -= count_splits( start, end, NULL );
        if (!(ret = find_wanted( region )) && (ret = apply( start, end, ARMED )))
            apply( start, end, 0 );
        for (addr = start; !ret && addr < end; addr += page_size())
        {
            unsigned int before = addr == start ? 0 : get_flags( addr - page_size() );

            if (get_flags( addr ) & ~before & PROT_WRITE) unite( region, addr );
        }
        if (ret) clear_flags( start, end );
        splits += count_splits( start, end, NULL );
    }
    unlock();
    return ret;
}

/* for mprotect_verify() */
static int is_as_known( uintptr_t start, uintptr_t end, int prot )
{
    for (; start < end; start += page_size())
        if (real_protection( get_flags( start ) ) != prot) return -EPERM;
    return 0;
}

/***********************************************************************
 *           mprotect_verify
 *
 * As far as the protection tells.
 */
static int mprotect_verify( struct watch_region *region )
{
    int ret;

    lock();
    ret = maps_for_each( region->base, region->end, is_as_known );
    unlock();
    return ret;
}

/***********************************************************************
 *           mprotect_detach
 *
 * The memory may be gone, so failing is no error. If it is not, the program must not be left with
 * memory that it cannot write to, so what fails is tried again.
 */
static void mprotect_detach( struct watch_region *region, uintptr_t start, uintptr_t end,
                             enum detach_reason reason )
{
    unsigned int tries;

    (void)region;
    (void)reason;
    fault_forget();
    lock();
    splits -= count_splits( start, end, NULL );
    for (tries = 0; tries < MAX_DETACH_TRIES && apply( start, end, 0 ); tries++) /* nothing */;
    clear_flags( start, end );
    splits += count_splits( start, end, NULL );
    unlock();
    fault_forget();
}

/***********************************************************************
 *           mprotect_protect
 *
 * On failure some of the pages may have the new protection, as with mprotect().
 */
static int mprotect_protect( struct watch_region *region, uintptr_t start, uintptr_t end, int prot )
{
    uintptr_t first = start, next;
    int ret = 0;

    if (prot & ~WANTED) return -EINVAL;
    lock();
    splits -= count_splits( start, end, NULL );
    for (next = start; next < end && !ret; start = next)
    {
        unsigned int flags = get_flags( start ), armed = flags & ARMED;

        while (next < end && (get_flags( next ) & ARMED) == armed) next += page_size();
        if ((ret = protect( start, next, real_protection( prot | armed )))) break;
        if (armed && (prot & PROT_WRITE) && !(flags & PROT_WRITE)) unite( region, start );
        for (; start < next; start += page_size()) *flags_at( start ) = prot | armed | KNOWN;
    }
    splits += count_splits( first, end, NULL );
    unlock();
    return ret;
}

/***********************************************************************
 *           mprotect_discard
 */
static int mprotect_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                             enum discard_reason reason )
{
    (void)reason;
    (void)region;
    return discard_pages( start, end );
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
 * What the parent has open leads to its memory. A thread that is not there may have held the lock
 * and been about to change a page; but changes of what the program wants have the lock of the
 * writers besides.
 */
static int mprotect_reopen(void)
{
    lock_word = 0;
    splits = 0;
    if (memory == -1) return 0;
    descriptor_close( &memory, &memory_id );
    open_memory();
    return 0;
}

/***********************************************************************
 *           mprotect_reattach
 *
 * Opens what the program has access to, so nothing depends on whether it was armed. No lock: this
 * is the only thread, and may meet faults of its own.
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
    return apply( region->base, region->end, 0 );
}

/* half of what a process may have */
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

/***********************************************************************
 *           mprotect_open
 */
static int mprotect_open( char *reason, size_t len )
{
    int ret;

    max_splits = mprotect_map_limit ? mprotect_map_limit / 2 : read_max_splits();
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
    .name      = "mprotect",
    .mechanism = "mprotect with SIGSEGV",
    .automatic = 1,
    .open      = mprotect_open,
    .reopen    = mprotect_reopen,
    .reattach  = mprotect_reattach,
    .close     = mprotect_close,
    .attach    = mprotect_attach,
    .detach    = mprotect_detach,
    .free_locks = fault_free_locks,
    .collect_written = fault_collect_nothing,
    .arm       = mprotect_arm,
    .max_marked_pages = MAX_ARMED_PAGES,
    .discard   = mprotect_discard,
    .verify    = mprotect_verify,
    .protect   = mprotect_protect,
    .signal    = SIGSEGV,
    .fault     = mprotect_fault,
    .hold      = fault_hold,
    .release   = fault_release,
    .check     = mprotect_check,
};
