/*
 * The scan backend: which pages are written, and their categories
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

/***********************************************************************
 *           take_census
 *
 * Looks for full blocks among those that were just queried exactly. When the vector is full, the
 * rest of the block that filled it is left out.
 */
static UNINTERRUPTED_PART void take_census( struct region_blocks *blocks,
                                            enum scan_question missing, uintptr_t pos,
                                            uintptr_t end, unsigned int forgotten )
{
    struct page_run runs[32];
    struct page_scan scan;
    uintptr_t start, addr, limit;
    int i, count, found;

    scan.flags     = 0;
    scan.runs      = runs;
    scan.len       = 32;
    scan.max_pages = 0;

    while (blocks_next_census( blocks, &pos, end, &start, &limit ))
    {
        found = 0;
        for (addr = start; addr < limit; addr = scan.next < limit ? block_end( scan.next ) : limit)
        {
            scan.start = addr;
            scan.end   = limit;
            if ((count = ask_kernel( missing, &scan )) < 0) return;
            for (i = 0; i < count; i++)
            {
                found |= blocks_mark_full( blocks, addr, runs[i].start, forgotten );
                addr = runs[i].end;
            }
            found |= blocks_mark_full( blocks, addr, scan.next, forgotten );
        }
        blocks_end_census( blocks, start, limit, found );
    }
}

/* reports what is known to be written without a look, as far as there is room */
static inline __attribute__((always_inline)) int all_written( struct page_scan *scan )
{
    if ((scan->end - scan->start) >> page_shift > scan->max_pages)
        scan->end = scan->start + (scan->max_pages << page_shift);
    scan->runs[0].start = scan->start;
    scan->runs[0].end   = scan->next = scan->end;
    return 1;
}

/***********************************************************************
 *           collect_fresh
 *
 * Fresh memory needs the exact query: pages that are present or swapped out, were written, and are
 * not the shared zero page. It leaves out what was never touched or only read, so such memory needs
 * neither marking nor page tables. Without the any-of part it is wrong from 6.12.103 on, where an
 * empty entry counts as written. In the marked form a page that was only read is still protected,
 * and the shared zero page needs no check.
 *
 * Where blocks are known to be full it is enough to ask for written pages, which the kernel does
 * quickly. Elsewhere that would include pages that were never touched, and with COLLECT_RESET it
 * would allocate page tables for them, and lose concurrent writes. Each call covers one part of the
 * range in one way. Blocks known to be written need no system call.
 */
static UNINTERRUPTED_PART int collect_fresh( struct watch_region *region, enum scan_question exact,
                                             struct page_scan *scan )
{
    struct region_blocks *blocks = &scan_data( region )->blocks;
    unsigned int forgotten = __atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST );
    uint64_t resets = __atomic_load_n( &blocks->resets, __ATOMIC_SEQ_CST );
    int i, count, full, written, reset = scan->flags & COLLECT_RESET;
    uintptr_t end = scan->end;

    if (!reset)
    {
        scan->end = blocks_written_part( blocks, scan->start, scan->end, &written );
        if (written) return all_written( scan );
    }
    scan->end = blocks_full_part( blocks, scan->start, scan->end, &full );

    if (reset) blocks_begin_reset( blocks, scan->start, scan->end );
    count = ask_kernel( full ? SCAN_QUICK : exact, scan );
    if (reset) blocks_end_reset( blocks );
    scan->end = end;
    if (count < 0) return count;

    if (!reset) blocks_mark_written( blocks, scan->runs, count, resets );
    if (full)
        /* contents were dropped during the step, which was not waited for (see region_set_state) */
        return __atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST ) == forgotten ? count : -EIO;

    for (i = 0; i < count; i++)
        blocks_mark_full( blocks, scan->runs[i].start, scan->runs[i].end, forgotten );
    take_census( blocks, exact == SCAN_EXACT ? SCAN_MISSING : SCAN_EMPTY, scan->start, scan->next,
                 forgotten );
    return count;
}

/***********************************************************************
 *           collect_small
 *
 * The exact query in a region without blocks, unless all pages are known to be written.
 */
static UNINTERRUPTED_PART int collect_small( struct watch_region *region, enum scan_question exact,
                                             struct page_scan *scan )
{
    atomic_word *noted = &scan_data( region )->blocks.noted;
    uint64_t old;
    uintptr_t base = region->base;
    int alone, count;

    if (scan->flags & COLLECT_RESET)
    {
        noted_begin_reset( noted );
        return ask_kernel( exact, scan );
    }
    old = __atomic_load_n( noted, __ATOMIC_SEQ_CST );
    if (is_noted( old, (scan->start - base) >> page_shift, (scan->end - base) >> page_shift ))
        return all_written( scan );
    alone = region_has_one_step( region );
    count = ask_kernel( exact, scan );
    if (count == 1 && alone && (uint32_t)old != NOTED_NEVER)
        note_run( noted, old, (scan->runs[0].start - base) >> page_shift,
                  (scan->runs[0].end - base) >> page_shift );
    return count;
}

static inline __attribute__((always_inline)) int
collect( struct watch_region *region, enum scan_question exact, struct page_scan *scan )
{
    if (scan_data( region )->all_protected) return ask_kernel( SCAN_QUICK, scan );
    /* a region can be found while its watch begins: the rest of the blocks comes before their
     * count */
    if (__atomic_load_n( &scan_data( region )->blocks.count, __ATOMIC_ACQUIRE ))
        return collect_fresh( region, exact, scan );
    return collect_small( region, exact, scan );
}

/***********************************************************************
 *           scan_collect
 *
 * In memory that was protected as a whole, everything that is no longer protected is written. That
 * includes an empty entry: a written page of a file or of shared memory that the kernel has
 * reclaimed (a protected one leaves a marker). This query, with only WRITTEN in both masks, is the
 * one in which empty entries count on all kernels.
 */
UNINTERRUPTED int scan_collect( struct watch_region *region, struct page_scan *scan )
{
    return collect( region, SCAN_EXACT, scan );
}

/* the same in the marked form */
UNINTERRUPTED int scan_marked_collect( struct watch_region *region, struct page_scan *scan )
{
    return collect( region, SCAN_EXACT_MARKED, scan );
}

/***********************************************************************
 *           save_fresh
 *
 * Protects nothing, as the pages go away. A page counts as written if it has the category WRITTEN
 * but not unlike.
 */
static int save_fresh( struct watch_region *region, uint64_t unlike, uintptr_t start,
                       uintptr_t end )
{
    struct page_run runs[64];
    struct page_scan scan = { .end = end, .runs = runs, .len = 64 };
    int there = 0, i, count;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        if ((count = ask_kernel( SCAN_THERE, &scan )) < 0) return count;
        for (i = 0; i < count; i++)
        {
            there = 1;
            if ((runs[i].categories & (PAGE_IS_WRITTEN | unlike)) == PAGE_IS_WRITTEN)
                region_mark_written( region, runs[i].start, runs[i].end );
        }
    }
    return there;
}

/***********************************************************************
 *           save_any
 *
 * Memory that was not fresh may have markers, too: it needs the query of scan_collect().
 */
static int save_any( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct page_run runs[64];
    struct page_scan scan = { .end = end, .flags = COLLECT_RESET, .runs = runs, .len = 64 };
    int i, count;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        if ((count = ask_kernel( SCAN_QUICK, &scan )) < 0) return count;
        for (i = 0; i < count; i++) region_mark_written( region, runs[i].start, runs[i].end );
    }
    return 1;
}

int scan_save( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    if (scan_data( region )->all_protected) return save_any( region, start, end );
    return save_fresh( region, PAGE_IS_PFNZERO, start, end );
}

int scan_marked_save( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    if (scan_data( region )->all_protected) return save_any( region, start, end );
    return save_fresh( region, 0, start, end );
}

/***********************************************************************
 *           list_categories
 *
 * Reads the categories from the kernel. In fresh memory an empty entry is not a written page, and
 * can be skipped.
 */
static int list_categories( int fresh, struct page_scan *scan )
{
    const uint64_t there = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    struct pm_scan_arg arg;
    long count;

    memset( &arg, 0, sizeof(arg) );
    arg.size          = sizeof(arg);
    arg.flags         = PM_SCAN_CHECK_WPASYNC;
    arg.start         = scan->start;
    arg.end           = scan->end;
    arg.vec           = (uintptr_t)scan->runs;
    arg.vec_len       = scan->len < 512 ? scan->len : 512;
    arg.category_mask = scan->required & ~PAGE_IS_WRITTEN;
    arg.return_mask   = there | PAGE_IS_WRITTEN | PAGE_IS_FILE | PAGE_IS_PFNZERO | PAGE_IS_HUGE;
    if (fresh && scan->required & PAGE_IS_WRITTEN)
    {
        arg.category_mask      |= PAGE_IS_WRITTEN;
        arg.category_anyof_mask = there;
    }

    count = raw_syscall3( SYS_ioctl, scan_pagemap, PAGEMAP_SCAN, (uintptr_t)&arg );
    return take_walk_end( scan, &arg, count );
}

/***********************************************************************
 *           look_for
 *
 * Pages of a file or of shared memory have contents elsewhere. In memory that was protected as a
 * whole a page that is dropped has no entry, which is a written page anyway. A swapped page that is
 * not written may be a marker, of which nothing is known. Without markers a page is missing, or the
 * shared page of zeros, if it has no contents.
 */
static int look_for( struct watch_region *region, int has_markers, struct page_scan *scan )
{
    int i, count, protected = scan_data( region )->all_protected;

    scan->required = 0;
    count = list_categories( 0, scan );
    for (i = 0; i < count; i++)
    {
        uint64_t found = scan->runs[i].categories, held = PAGE_IS_PRESENT, look = 0;

        if (found & PAGE_IS_WRITTEN || !(has_markers || protected)) held |= PAGE_IS_SWAPPED;
        if (found & held && !(found & (PAGE_IS_FILE | PAGE_IS_PFNZERO))) look = LOOK_HELD;
        else if (!protected && (!(found & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)) ||
                                found & PAGE_IS_PFNZERO)) look = LOOK_BARE;
        scan->runs[i].categories = look;
    }
    return count;
}

int scan_look( struct watch_region *region, struct page_scan *scan )
{
    return look_for( region, 0, scan );
}

int scan_marked_look( struct watch_region *region, struct page_scan *scan )
{
    return look_for( region, 1, scan );
}

/* A page that is not written may be a marker, which looks like a swapped-out page: it is not
 * reported as swapped out. */
static void hide_marker( uint64_t *categories )
{
    if (!(*categories & PAGE_IS_WRITTEN)) *categories &= ~PAGE_IS_SWAPPED;
}

/* lists memory that was not fresh, where an empty entry is a written page */
static int list_any( struct page_scan *scan )
{
    int i, count = list_categories( 0, scan );
    struct page_run *runs = scan->runs;

    for (i = 0; i < count; i++)
    {
        if (!(runs[i].categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)))
            runs[i].categories |= PAGE_IS_WRITTEN;
        else hide_marker( &runs[i].categories );
    }
    return count;
}

/* corrects the kernel's idea of written pages as scan_collect() does */
int scan_list( struct watch_region *region, struct page_scan *scan )
{
    struct page_run *runs = scan->runs;
    int i, count;

    if (scan_data( region )->all_protected) return list_any( scan );
    count = list_categories( 1, scan );
    for (i = 0; i < count; i++)
        if (!(runs[i].categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)) ||
            runs[i].categories & PAGE_IS_PFNZERO)
            runs[i].categories &= ~PAGE_IS_WRITTEN;
    return count;
}

int scan_marked_list( struct watch_region *region, struct page_scan *scan )
{
    struct page_run *runs = scan->runs;
    int i, count;

    if (scan_data( region )->all_protected) return list_any( scan );
    count = list_categories( 1, scan );
    for (i = 0; i < count; i++)
    {
        if (!(runs[i].categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)))
            runs[i].categories &= ~PAGE_IS_WRITTEN;
        hide_marker( &runs[i].categories );
    }
    return count;
}
