/*
 * Write tracking by the soft-dirty bit: clear_refs and pagemap, where CONFIG_MEM_SOFT_DIRTY is set
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/region.h"
#include "engine/selftest.h"
#include "fault/backends.h"
#include "fault/fault.h"
#include "fault/look.h"
#include "fault/own_memory.h"
#include "fault/page_flags.h"
#include "sys/advise.h"
#include "sys/descriptor.h"
#include "sys/lock_order.h"
#include "sys/kernel_api.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "sys/pagemap.h"
#include "sys/raw_syscall.h"
#include "sys/signals.h"
#include "sys/wait_turn.h"

/* For comparison: the time of a query with reset grows with the size of the whole process.
 *
 * One system call reads the bits, and another one clears them in all memory of the process. So
 * before clearing, the bits of all watched memory are copied to flags of our own. No thread may
 * write between reading and clearing: all watched memory is protected meanwhile, and a thread that
 * faults waits for the end. A system call that writes to it just then fails with EFAULT, though.
 *
 * All of a fresh mapping counts as dirty until the next clearing, and a watched mapping that merges
 * with it would count as well. MADV_DONTDUMP prevents that, as it makes watched mappings different
 * from others. */

#define WANTED 0x07   /* PROT_READ, PROT_WRITE, PROT_EXEC */
#define KNOWN  0x08   /* watched */
#define DIRTY  0x10   /* written before the last clearing, and not reported yet */

static struct page_flags table;

/* the lowest and highest page that was ever watched; in between the leaves lead to them */
static uintptr_t low = ~(uintptr_t)0, high;

static int lock_word;   /* protects all of this; held with all signals blocked */
static int pagemap = -1, clear_refs = -1;
static struct descriptor_id pagemap_id, clear_refs_id;

static void lock( sigset_t *sigset )
{
    unsigned int turns = 0;

    block_all_signals( sigset );
    note_lock( LOCK_BACKEND );
    while (__atomic_exchange_n( &lock_word, 1, __ATOMIC_ACQUIRE )) wait_turn( &turns );
}

static void unlock( const sigset_t *sigset )
{
    note_unlock( LOCK_BACKEND );
    __atomic_store_n( &lock_word, 0, __ATOMIC_RELEASE );
    restore_signals( sigset );
}

/***********************************************************************
 *           next_run
 *
 * Finds the next pages of a range that have all bits of mask and the same protection for the
 * program. Returns 0 if there are none. Skips missing leaves.
 */
static int next_run( uintptr_t *start, uintptr_t *run_end, uintptr_t end, unsigned int mask )
{
    const uintptr_t leaf_size = PAGE_LEAF_PAGES << page_shift;
    uintptr_t addr = *start;
    unsigned int wanted;

    while (addr < end && (page_flags_get( &table, addr ) & mask) != mask)
    {
        if (page_flags_at( &table, addr )) addr += page_size();
        else addr = (addr | (leaf_size - 1)) + 1;
    }
    if (addr >= end) return 0;
    *start = addr;
    wanted = page_flags_get( &table, addr ) & WANTED;
    while (addr < end && (page_flags_get( &table, addr ) & mask) == mask &&
           (page_flags_get( &table, addr ) & WANTED) == wanted) addr += page_size();
    *run_end = addr;
    return 1;
}

/***********************************************************************
 *           read_dirty
 *
 * Records which pages of a range were written since the last clearing.
 */
static int read_dirty( uintptr_t start, uintptr_t end )
{
    uint64_t entries[512];
    uintptr_t run_end;
    long i, count;

    for (; next_run( &start, &run_end, end, KNOWN ); start = run_end)
    {
        for (; start < run_end; start += (uintptr_t)count << page_shift)
        {
            count = (run_end - start) >> page_shift;
            if (count > 512) count = 512;
            if ((count = pagemap_read( pagemap, start, count, entries )) < 0) return count;
            for (i = 0; i < count; i++)
                if (entries[i] & PM_SOFT_DIRTY)
                    *page_flags_at( &table, start + ((uintptr_t)i << page_shift) ) |= DIRTY;
        }
    }
    return 0;
}

/* protects all watched memory from writes, or makes it writable again where it was */
static int protect_all( int writable )
{
    uintptr_t start = low, end;

    for (; next_run( &start, &end, high, KNOWN | PROT_WRITE ); start = end)
    {
        int prot = page_flags_get( &table, start ) & WANTED, ret;

        if (!writable) prot = (prot & ~PROT_WRITE) | PROT_READ;
        if ((ret = raw_syscall3( SYS_mprotect, start, end - start, prot ))) return ret;
    }
    return 0;
}

/***********************************************************************
 *           clear_all
 *
 * Clears the bits of the kernel, after copying them to our flags. The lock is held.
 */
static int clear_all(void)
{
    int ret, undo;

    ret = protect_all( 0 );
    if (!ret) ret = read_dirty( low, high );
    if (!ret && write( clear_refs, "4", 1 ) != 1) ret = -errno;
    undo = protect_all( 1 );
    return ret ? ret : undo;
}

static int softdirty_collect( struct watch_region *region, struct page_scan *scan )
{
    uintptr_t start = scan->start, run_end;
    size_t count = 0, pages = scan->max_pages;
    sigset_t sigset;
    int ret;

    (void)region;
    lock( &sigset );
    ret = scan->flags & COLLECT_RESET ? clear_all() : read_dirty( start, scan->end );
    while (!ret && count < scan->len && pages &&
           next_run( &start, &run_end, scan->end, KNOWN | DIRTY ))
    {
        if ((run_end - start) >> page_shift > pages) run_end = start + (pages << page_shift);
        pages -= (run_end - start) >> page_shift;
        scan->runs[count].start      = start;
        scan->runs[count].end        = run_end;
        scan->runs[count].categories = 0;
        count++;
        for (; start < run_end; start += page_size())
            if (scan->flags & COLLECT_RESET) *page_flags_at( &table, start ) &= ~DIRTY;
    }
    scan->next = count == scan->len || !pages ? start : scan->end;
    unlock( &sigset );
    return ret ? ret : (int)count;
}

/***********************************************************************
 *           softdirty_list
 *
 * What the kernel has noted of a page, or an earlier clearing of its bit has.
 */
static int softdirty_list( struct watch_region *region, struct page_scan *scan )
{
    struct page_run *last = scan->runs - 1;
    uintptr_t page = scan->start;
    uint64_t entries[512];
    sigset_t sigset;
    long i, count = (scan->end - scan->start) >> page_shift;

    (void)region;
    if (count > 512) count = 512;
    lock( &sigset );
    count = pagemap_read( pagemap, page, count, entries );
    for (i = 0; i < count; i++, page += page_size())
    {
        uint64_t categories = pagemap_categories( entries[i] );

        if (entries[i] & PM_SOFT_DIRTY || page_flags_get( &table, page ) & DIRTY)
            categories |= PAGE_IS_WRITTEN;
        if (last >= scan->runs && last->categories == categories) last->end += page_size();
        else if (last == scan->runs + scan->len - 1) break;
        else *++last = (struct page_run){ page, page + page_size(), categories };
    }
    unlock( &sigset );
    scan->next = page;
    return count < 0 ? count : last + 1 - scan->runs;
}

/***********************************************************************
 *           softdirty_save
 */
static int softdirty_save( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct page_run runs[64] = { { 0, 0, 0 } };   /* or clang's analyser takes -errno for a count */
    struct page_scan scan = { .end = end, .flags = COLLECT_RESET, .runs = runs, .len = 64,
                              .max_pages = (end - start) >> page_shift };
    int i, count;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        if ((count = softdirty_collect( region, &scan )) < 0) return count;
        for (i = 0; i < count; i++) region_mark_written( region, runs[i].start, runs[i].end );
    }
    return 1;
}

static int set_known( uintptr_t start, uintptr_t end, int prot )
{
    for (; start < end; start += page_size()) *page_flags_at( &table, start ) = prot | KNOWN;
    return 0;
}

static void clear_flags( uintptr_t start, uintptr_t end )
{
    for (; start < end; start += page_size()) *page_flags_at( &table, start ) = 0;
}

/***********************************************************************
 *           softdirty_attach
 *
 * The mapping is clean before MADV_DONTDUMP makes it like its watched neighbours, with which it may
 * merge then.
 */
static int softdirty_attach( struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end, addr;
    sigset_t sigset;
    int ret;

    if ((ret = own_memory_check( region ))) return ret;
    if (region->kind != REGION_FRESH && page_flags_use_memory( &table, start, end ))
        return -EDEADLK;
    if ((ret = advise( (void *)start, end - start, MADV_NOHUGEPAGE )) && ret != -EINVAL) return ret;

    lock( &sigset );
    if (!(ret = page_flags_make( &table, start, end )))
    {
        if (start < low) low = start;
        if (end > high) high = end;
        ret = maps_for_each( start, end, set_known );
        if (!ret) ret = clear_all();
        if (!ret) ret = advise( (void *)start, end - start, MADV_DONTDUMP );
        if (ret) clear_flags( start, end );
        else for (addr = start; addr < end; addr += page_size())
            *page_flags_at( &table, addr ) &= ~DIRTY;
    }
    unlock( &sigset );
    return ret;
}

/***********************************************************************
 *           softdirty_detach
 *
 * The memory may be unmapped already, so failing is no error.
 */
static void softdirty_detach( struct watch_region *region, uintptr_t start, uintptr_t end,
                              enum detach_reason reason )
{
    sigset_t sigset;

    (void)region;
    (void)reason;
    fault_forget();
    lock( &sigset );
    advise( (void *)start, end - start, MADV_DODUMP );
    clear_flags( start, end );
    unlock( &sigset );
    fault_forget();
}

static int softdirty_protect( struct watch_region *region, uintptr_t start, uintptr_t end,
                              int prot )
{
    sigset_t sigset;
    int ret;

    (void)region;
    if (prot & ~WANTED) return -EINVAL;
    lock( &sigset );
    if (!(ret = raw_syscall3( SYS_mprotect, start, end - start, prot )))
        for (; start < end; start += page_size())
        {
            uint8_t *flags = page_flags_at( &table, start );

            *flags = (*flags & ~WANTED) | prot;
        }
    unlock( &sigset );
    return ret;
}

static int softdirty_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                              enum discard_reason reason )
{
    (void)reason;
    sigset_t sigset;
    uintptr_t addr;
    int ret;

    (void)region;
    lock( &sigset );
    if (!(ret = discard_pages( start, end )))
        for (addr = start; addr < end; addr += page_size())
            *page_flags_at( &table, addr ) &= ~DIRTY;
    unlock( &sigset );
    return ret;
}

/***********************************************************************
 *           softdirty_fault
 *
 * Another thread is clearing the bits, or was. A fault that repeats otherwise is the program's.
 */
static int softdirty_fault( struct watch_region *region, uintptr_t start, uintptr_t end,
                            unsigned int flags )
{
    unsigned int page;
    sigset_t sigset;

    (void)region;
    (void)end;
    if (flags != FAULT_WRITE) return 0;
    lock( &sigset );
    page = page_flags_get( &table, start );
    unlock( &sigset );
    return (page & (KNOWN | PROT_WRITE)) == (KNOWN | PROT_WRITE);
}

static int softdirty_check(void)
{
    int ret = descriptor_check( pagemap, &pagemap_id );

    if (!ret) ret = descriptor_check( clear_refs, &clear_refs_id );
    return ret ? ret : fault_handler_check( SIGSEGV );
}

/* whether a page has the bit after a write; a kernel without the bit does not refuse to clear it */
static int has_bit(void)
{
    char *page = mmap( NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0 );
    uint64_t entry;

    if (page == MAP_FAILED) return 0;
    *(volatile char *)page = 1;
    if (pagemap_read( pagemap, (uintptr_t)page, 1, &entry ) != 1) entry = 0;
    munmap( page, page_size() );
    return (entry & PM_SOFT_DIRTY) != 0;
}

static void softdirty_close(void)
{
    descriptor_close( &pagemap, &pagemap_id );
    descriptor_close( &clear_refs, &clear_refs_id );
}

static int open_descriptors(void)
{
    int ret;

    if ((ret = pagemap_open( &pagemap, &pagemap_id ))) return ret;
    if ((clear_refs = open( "/proc/self/clear_refs", O_WRONLY | O_CLOEXEC )) == -1) return -errno;
    clear_refs = descriptor_raise( clear_refs );
    descriptor_identify( clear_refs, &clear_refs_id );
    return 0;
}

/***********************************************************************
 *           softdirty_reopen
 *
 * A thread of the parent may have been about to clear the bits, with all memory protected.
 */
static int softdirty_reopen(void)
{
    int ret;

    lock_word = 0;
    softdirty_close();
    if ((ret = open_descriptors())) softdirty_close();
    protect_all( 1 );
    return ret;
}

/* marks all that may have been written, whatever the kernel's bits say in the child */
static int softdirty_reattach( struct watch_region *region )
{
    uintptr_t addr;

    if (region->kind != REGION_FRESH) region_mark_written( region, region->base, region->end );
    for (addr = region->base; addr < region->end; addr += page_size())
        if (region->kind != REGION_FRESH || page_flags_get( &table, addr ) & WANTED)
            *page_flags_at( &table, addr ) |= DIRTY;
    return protect_all( 1 );
}

/* A system call that writes during a query fails, and a page is dropped with its bit. */
static unsigned int softdirty_capabilities( const struct watch_region *region, int anonymous )
{
    (void)region;
    (void)anonymous;
    return CAN_BE_EXACT | CAN_LIST_SWAPPED;
}

static int softdirty_open( char *reason, size_t len )
{
    int ret;

    if ((ret = open_descriptors()))
        snprintf( reason, len, "cannot open /proc/self/%s: %s",
                  pagemap == -1 ? "pagemap" : "clear_refs", strerror( -ret ));
    else if (!has_bit())
    {
        ret = -EOPNOTSUPP;
        snprintf( reason, len, "no page is ever soft-dirty "
                  "(the kernel was built without CONFIG_MEM_SOFT_DIRTY)" );
    }
    else if ((ret = fault_handler_install()))
        snprintf( reason, len, "no handler can be installed: %s", strerror( -ret ));
    else ret = selftest_faults( &softdirty_backend, reason, len );

    if (ret) softdirty_close();
    return ret;
}

const struct watch_backend softdirty_backend =
{
    .name             = "softdirty",
    .mechanism        = "soft-dirty bits with clear_refs",
    .automatic        = 0,
    .open             = softdirty_open,
    .reopen           = softdirty_reopen,
    .reattach         = softdirty_reattach,
    .close            = softdirty_close,
    .attach           = softdirty_attach,
    .detach           = softdirty_detach,
    .free_locks       = fault_free_locks,
    .collect_written  = softdirty_collect,
    .max_marked_pages = MAX_SCAN_PAGES,
    .save             = softdirty_save,
    .discard          = softdirty_discard,
    .mlock_pages      = mlock_pages,
    .protect          = softdirty_protect,
    .capabilities     = softdirty_capabilities,
    .signal           = SIGSEGV,
    .fault            = softdirty_fault,
    .look             = look_at_private,
    .list             = softdirty_list,
    .check            = softdirty_check,
};
