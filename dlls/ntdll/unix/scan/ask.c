/*
 * What the scan backend asks the kernel: the PAGEMAP_SCAN ioctl
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "engine/region_step.h"
#include "scan/ask.h"
#include "scan/noted_run.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

_Static_assert( sizeof(struct page_run) == sizeof(struct page_region), "the kernel's layout" );

/* what to ask the kernel for */
enum scan_question
{
    SCAN_EXACT,         /* see collect_fresh() */
    SCAN_EXACT_MARKED,
    SCAN_QUICK,
    SCAN_MISSING,       /* pages that are missing, or the shared page of zeros */
    SCAN_EMPTY,         /* entries with neither a page nor a marker */
    SCAN_USED,          /* entries that are not empty */
    SCAN_THERE,         /* the same, and how they are */
};

/***********************************************************************
 *           protect_moving
 *
 * A page that the kernel is just moving looks like one that was swapped out. If it was writable,
 * the protection that a scan gives it is lost when it arrives, and it would be told of once more
 * although nobody wrote (6.7 to 7.2). UFFDIO_WRITEPROTECT gives it in a way that lasts. What was
 * written since the scan is told of by the query that this belongs to. If it fails, a page may be
 * told of once more.
 *
 * Runs that were apart for that reason only become one. Returns how many are left.
 *
 * The quick query cannot tell such pages, so there they are told of twice.
 */
static UNINTERRUPTED int protect_moving( struct page_run *runs, int count )
{
    struct uffdio_writeprotect wp;
    int i, left = 0;

    for (i = 0; i < count; i++)
    {
        if (runs[i].categories & PAGE_IS_SWAPPED)
        {
            wp.range.start = runs[i].start;
            wp.range.len   = runs[i].end - runs[i].start;
            wp.mode        = UFFDIO_WRITEPROTECT_MODE_WP;
            raw_syscall3( SYS_ioctl, scan_uffd, UFFDIO_WRITEPROTECT, (uintptr_t)&wp );
        }
        if (left && runs[left - 1].end == runs[i].start) runs[left - 1].end = runs[i].end;
        else
        {
            runs[left].start      = runs[i].start;
            runs[left].end        = runs[i].end;
            runs[left].categories = 0;
            left++;
        }
    }
    return left;
}

/***********************************************************************
 *           ask_kernel
 *
 * PM_SCAN_CHECK_WPASYNC makes the kernel refuse memory that lost its registration; otherwise it
 * would pass over it in silence, which reads as "nothing written". walk_end is right only for
 * vectors of at most 512 entries (seen on 6.12 to 7.2), hence the limit.
 */
static UNINTERRUPTED int ask_kernel( enum scan_question question, uintptr_t start, uintptr_t end,
                                     unsigned int flags, struct page_run *runs, size_t len,
                                     size_t max_pages, uintptr_t *next )
{
    struct pm_scan_arg arg;
    long ret;

    arg.size                = sizeof(arg);
    arg.flags               = PM_SCAN_CHECK_WPASYNC |
                              (flags & COLLECT_RESET ? PM_SCAN_WP_MATCHING : 0);
    arg.start               = start;
    arg.end                 = end;
    arg.walk_end            = 0;
    arg.vec                 = (uintptr_t)runs;
    arg.vec_len             = len < 512 ? len : 512;
    arg.max_pages           = max_pages;
    switch (question)
    {
    case SCAN_EXACT:
        arg.category_inverted   = PAGE_IS_PFNZERO;
        arg.category_mask       = PAGE_IS_WRITTEN | PAGE_IS_PFNZERO;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.return_mask         = flags & COLLECT_RESET ? PAGE_IS_SWAPPED : 0;
        break;
    case SCAN_EXACT_MARKED:
        arg.category_inverted   = 0;
        arg.category_mask       = PAGE_IS_WRITTEN;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.return_mask         = flags & COLLECT_RESET ? PAGE_IS_SWAPPED : 0;
        break;
    case SCAN_QUICK:
        arg.category_inverted   = 0;
        arg.category_mask       = PAGE_IS_WRITTEN;
        arg.category_anyof_mask = 0;
        arg.return_mask         = PAGE_IS_WRITTEN;
        break;
    case SCAN_MISSING:
        arg.category_inverted   = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.category_mask       = PAGE_IS_SWAPPED;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO;
        arg.return_mask         = 0;
        break;
    case SCAN_EMPTY:
        arg.category_inverted   = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.category_mask       = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.category_anyof_mask = 0;
        arg.return_mask         = 0;
        break;
    case SCAN_USED:
        arg.category_inverted   = 0;
        arg.category_mask       = 0;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.return_mask         = 0;
        break;
    case SCAN_THERE:
        arg.category_inverted   = 0;
        arg.category_mask       = 0;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.return_mask         = PAGE_IS_WRITTEN | PAGE_IS_PFNZERO;
        break;
    }

    ret = raw_syscall3( SYS_ioctl, scan_pagemap, PAGEMAP_SCAN, (uintptr_t)&arg );
    if (ret < 0) return ret;
    /* the walk must have moved or have found something, or a caller would ask for ever */
    if (arg.walk_end > end || arg.walk_end < start || (arg.walk_end == start && !ret)) return -EIO;
    *next = arg.walk_end;
    return question <= SCAN_EXACT_MARKED && flags & COLLECT_RESET ? protect_moving( runs, ret ) : ret;
}

/***********************************************************************
 *           scan_mark_empty
 *
 * In pieces, as the kernel holds the lock of the address space for each. An entry whose page table
 * exists is looked at and protected under the lock of that table, so a write at the same time wins:
 * its page is not empty. Where the table is missing the kernel makes it first and does not look
 * again: such a range must not be accessible, or the write would be lost (6.18).
 */
int scan_mark_empty( uintptr_t start, uintptr_t end )
{
    const size_t piece = (size_t)64 << 20;
    struct page_run runs[32];
    uintptr_t next = end;
    int count;

    for (; start < end; start = next)
    {
        count = ask_kernel( SCAN_EMPTY, start, end - start < piece ? end : start + piece,
                            COLLECT_RESET, runs, 32, 0, &next );
        if (count < 0) return count;
    }
    return 0;
}

/***********************************************************************
 *           scan_find_used
 */
int scan_find_used( uintptr_t start, uintptr_t end, struct page_run *runs, size_t len,
                    uintptr_t *next )
{
    return ask_kernel( SCAN_USED, start, end, 0, runs, len, 0, next );
}

/***********************************************************************
 *           take_census
 *
 * Looks for full blocks among those that were just asked for exactly. When the vector is full, the
 * rest of the block that filled it is left out.
 */
static UNINTERRUPTED void take_census( struct region_blocks *blocks, enum scan_question missing,
                                       uintptr_t pos, uintptr_t end, unsigned int forgotten )
{
    uintptr_t start, addr, limit, next;
    struct page_run runs[32];
    int i, count, found;

    while (blocks_next_census( blocks, &pos, end, &start, &limit ))
    {
        found = 0;
        for (addr = start; addr < limit; addr = next < limit ? block_end( next ) : limit)
        {
            count = ask_kernel( missing, addr, limit, 0, runs, 32, 0, &next );
            if (count < 0) return;
            for (i = 0; i < count; i++)
            {
                found |= blocks_mark_full( blocks, addr, runs[i].start, forgotten );
                addr = runs[i].end;
            }
            found |= blocks_mark_full( blocks, addr, next, forgotten );
        }
        blocks_end_census( blocks, start, limit, found );
    }
}

/***********************************************************************
 *           collect_fresh
 *
 * For fresh memory the exact query: a page that is there (or swapped out), was written, and is not
 * the shared page of zeros. It leaves out what was never touched or only read, so such memory needs
 * neither marking nor page tables. Without the any-of part it is wrong from 6.12.103 on, where an
 * empty entry counts as written. In the marked form a page that was only read is protected still,
 * and the shared page of zeros is not looked at.
 *
 * Where blocks are known to be full, written is all that is to be asked, which the kernel does
 * quickly. Elsewhere that would count what was never touched, and with COLLECT_RESET it would make
 * page tables for it, and lose writes that are made at the same time. Each call does one part of
 * the range in one way. Blocks known to be written need no call of the kernel.
 */
static UNINTERRUPTED int collect_fresh( struct watch_region *region, enum scan_question exact,
                                        uintptr_t start, uintptr_t end, unsigned int flags,
                                        struct page_run *runs, size_t len, size_t max_pages,
                                        uintptr_t *next )
{
    struct region_blocks *blocks = &scan_data( region )->blocks;
    unsigned int forgotten = __atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST );
    uint64_t resets = __atomic_load_n( &blocks->resets, __ATOMIC_SEQ_CST );
    int i, count, full, written;

    if (!(flags & COLLECT_RESET))
    {
        end = blocks_written_part( blocks, start, end, &written );
        if (written)
        {
            if ((end - start) >> page_shift > max_pages) end = start + (max_pages << page_shift);
            runs[0].start = start;
            runs[0].end = *next = end;
            return 1;
        }
    }
    end = blocks_full_part( blocks, start, end, &full );

    if (flags & COLLECT_RESET) blocks_begin_reset( blocks, start, end );
    count = ask_kernel( full ? SCAN_QUICK : exact, start, end, flags, runs, len, max_pages,
                        next );
    if (flags & COLLECT_RESET) blocks_end_reset( blocks );
    if (count < 0) return count;

    if (!(flags & COLLECT_RESET)) blocks_mark_written( blocks, runs, count, resets );
    if (full)
        /* contents were dropped in the middle of a step, which then was no step */
        return __atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST ) == forgotten ? count : -EIO;

    for (i = 0; i < count; i++) blocks_mark_full( blocks, runs[i].start, runs[i].end, forgotten );
    take_census( blocks, exact == SCAN_EXACT ? SCAN_MISSING : SCAN_EMPTY, start, *next, forgotten );
    return count;
}

/***********************************************************************
 *           collect_small
 *
 * The exact query in a region without blocks, unless all pages are known to be written.
 */
static UNINTERRUPTED int collect_small( struct watch_region *region, enum scan_question exact,
                                        uintptr_t start, uintptr_t end, unsigned int flags,
                                        struct page_run *runs, size_t len, size_t max_pages,
                                        uintptr_t *next )
{
    uint64_t *noted = &scan_data( region )->blocks.noted, old;
    uintptr_t base = region->base;
    int alone, count;

    if (flags & COLLECT_RESET)
    {
        noted_begin_reset( noted );
        return ask_kernel( exact, start, end, flags, runs, len, max_pages, next );
    }
    old = __atomic_load_n( noted, __ATOMIC_SEQ_CST );
    if (is_noted( old, (start - base) >> page_shift, (end - base) >> page_shift ))
    {
        if ((end - start) >> page_shift > max_pages) end = start + (max_pages << page_shift);
        runs[0].start = start;
        runs[0].end = *next = end;
        return 1;
    }
    alone = region_has_one_step( region );
    count = ask_kernel( exact, start, end, flags, runs, len, max_pages, next );
    if (count == 1 && alone && (uint32_t)old != NOTED_NEVER)
        note_run( noted, old, (runs[0].start - base) >> page_shift,
                  (runs[0].end - base) >> page_shift );
    return count;
}

/***********************************************************************
 *           scan_collect
 *
 * For other than fresh memory all pages were protected at the start, and what is not protected any
 * more is written: also an empty entry, which is a written page of a file or of shared memory that
 * was taken back by the kernel (a protected one leaves a marker). This form, with nothing but
 * WRITTEN in both masks, is the one in which empty entries count on all kernels.
 */
UNINTERRUPTED int scan_collect( struct watch_region *region, uintptr_t start, uintptr_t end,
                                    unsigned int flags, struct page_run *runs, size_t len,
                                    size_t max_pages, uintptr_t *next )
{
    if (scan_data( region )->all_protected)
        return ask_kernel( SCAN_QUICK, start, end, flags, runs, len, max_pages, next );
    if (scan_data( region )->blocks.count)
        return collect_fresh( region, SCAN_EXACT, start, end, flags, runs, len, max_pages, next );
    return collect_small( region, SCAN_EXACT, start, end, flags, runs, len, max_pages, next );
}

/***********************************************************************
 *           scan_marked_collect
 *
 * The same in the marked form.
 */
UNINTERRUPTED int scan_marked_collect( struct watch_region *region, uintptr_t start, uintptr_t end,
                                    unsigned int flags, struct page_run *runs, size_t len,
                                    size_t max_pages, uintptr_t *next )
{
    if (scan_data( region )->all_protected)
        return ask_kernel( SCAN_QUICK, start, end, flags, runs, len, max_pages, next );
    if (scan_data( region )->blocks.count)
        return collect_fresh( region, SCAN_EXACT_MARKED, start, end, flags, runs, len, max_pages,
                              next );
    return collect_small( region, SCAN_EXACT_MARKED, start, end, flags, runs, len, max_pages,
                          next );
}

/***********************************************************************
 *           save_fresh
 *
 * Protects nothing, as the pages go away. A page counts as written if of the categories
 * WRITTEN and unlike it has the first alone.
 */
static int save_fresh( struct watch_region *region, uint64_t unlike, uintptr_t start,
                       uintptr_t end )
{
    struct page_run runs[64];
    int there = 0, i, count;
    uintptr_t next;

    for (; start < end; start = next)
    {
        if ((count = ask_kernel( SCAN_THERE, start, end, 0, runs, 64, 0, &next )) < 0) return count;
        for (i = 0; i < count; i++)
        {
            there = 1;
            if ((runs[i].categories & (PAGE_IS_WRITTEN | unlike)) == PAGE_IS_WRITTEN)
                marks_set( region->marks, runs[i].start, runs[i].end );
        }
    }
    return there;
}

/***********************************************************************
 *           save_any
 *
 * What was not fresh may have markers besides, which scan_collect() knows how to take.
 */
static int save_any( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct page_run runs[64];
    uintptr_t next;
    int i, count;

    for (; start < end; start = next)
    {
        count = ask_kernel( SCAN_QUICK, start, end, COLLECT_RESET, runs, 64, 0, &next );
        if (count < 0) return count;
        for (i = 0; i < count; i++) marks_set( region->marks, runs[i].start, runs[i].end );
    }
    return 1;
}

/***********************************************************************
 *           scan_save
 */
int scan_save( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    if (scan_data( region )->all_protected) return save_any( region, start, end );
    return save_fresh( region, PAGE_IS_PFNZERO, start, end );
}

/***********************************************************************
 *           scan_marked_save
 */
int scan_marked_save( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    if (scan_data( region )->all_protected) return save_any( region, start, end );
    return save_fresh( region, 0, start, end );
}

/***********************************************************************
 *           scan_verify
 *
 * Asks for pages that cannot be watched in this way: the kernel refuses them, and has no need to
 * look at the pages of the others.
 */
int scan_verify( struct watch_region *region )
{
    struct pm_scan_arg arg;
    struct page_run run;
    long ret;

    memset( &arg, 0, sizeof(arg) );
    arg.size              = sizeof(arg);
    arg.flags             = PM_SCAN_CHECK_WPASYNC;
    arg.start             = region->base;
    arg.end               = region->end;
    arg.vec               = (uintptr_t)&run;
    arg.vec_len           = 1;
    arg.category_inverted = PAGE_IS_WPALLOWED;
    arg.category_mask     = PAGE_IS_WPALLOWED;
    ret = raw_syscall3( SYS_ioctl, scan_pagemap, PAGEMAP_SCAN, (uintptr_t)&arg );
    return ret < 0 ? ret : 0;
}

/***********************************************************************
 *           list_categories
 *
 * The categories as the kernel has them. In fresh memory an empty entry is no written page, and
 * need not be looked at.
 */
static int list_categories( int fresh, uintptr_t start, uintptr_t end, uint64_t required,
                            struct page_run *runs, size_t len, uintptr_t *next )
{
    const uint64_t there = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    struct pm_scan_arg arg;
    long count;

    memset( &arg, 0, sizeof(arg) );
    arg.size          = sizeof(arg);
    arg.flags         = PM_SCAN_CHECK_WPASYNC;
    arg.start         = start;
    arg.end           = end;
    arg.vec           = (uintptr_t)runs;
    arg.vec_len       = len < 512 ? len : 512;
    arg.category_mask = required & ~PAGE_IS_WRITTEN;
    arg.return_mask   = there | PAGE_IS_WRITTEN | PAGE_IS_FILE | PAGE_IS_PFNZERO | PAGE_IS_HUGE;
    if (fresh && required & PAGE_IS_WRITTEN)
    {
        arg.category_mask      |= PAGE_IS_WRITTEN;
        arg.category_anyof_mask = there;
    }

    count = raw_syscall3( SYS_ioctl, scan_pagemap, PAGEMAP_SCAN, (uintptr_t)&arg );
    if (count < 0) return count;
    if (arg.walk_end > end || arg.walk_end < start || (arg.walk_end == start && !count))
        return -EIO;
    *next = arg.walk_end;
    return count;
}

/* A page that is not written may be a marker, which looks like a page that was swapped out: it is
 * told as neither. */
static void hide_marker( uint64_t *categories )
{
    if (!(*categories & PAGE_IS_WRITTEN)) *categories &= ~PAGE_IS_SWAPPED;
}

/* the same for memory that was not fresh, where an empty entry is a written page */
static int list_any( uintptr_t start, uintptr_t end, uint64_t required, struct page_run *runs,
                     size_t len, uintptr_t *next )
{
    int i, count = list_categories( 0, start, end, required, runs, len, next );

    for (i = 0; i < count; i++)
    {
        if (!(runs[i].categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)))
            runs[i].categories |= PAGE_IS_WRITTEN;
        else hide_marker( &runs[i].categories );
    }
    return count;
}

/***********************************************************************
 *           scan_list
 *
 * What the kernel calls written is put right as scan_collect() does.
 */
int scan_list( struct watch_region *region, uintptr_t start, uintptr_t end, uint64_t required,
               struct page_run *runs, size_t len, uintptr_t *next )
{
    int i, count;

    if (scan_data( region )->all_protected) return list_any( start, end, required, runs, len, next );
    count = list_categories( 1, start, end, required, runs, len, next );
    for (i = 0; i < count; i++)
        if (!(runs[i].categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)) ||
            runs[i].categories & PAGE_IS_PFNZERO)
            runs[i].categories &= ~PAGE_IS_WRITTEN;
    return count;
}

/***********************************************************************
 *           scan_marked_list
 */
int scan_marked_list( struct watch_region *region, uintptr_t start, uintptr_t end,
                      uint64_t required, struct page_run *runs, size_t len, uintptr_t *next )
{
    int i, count;

    if (scan_data( region )->all_protected) return list_any( start, end, required, runs, len, next );
    count = list_categories( 1, start, end, required, runs, len, next );
    for (i = 0; i < count; i++)
    {
        if (!(runs[i].categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)))
            runs[i].categories &= ~PAGE_IS_WRITTEN;
        hide_marker( &runs[i].categories );
    }
    return count;
}
