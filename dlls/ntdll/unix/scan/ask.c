/*
 * What the scan backend asks the kernel: the PAGEMAP_SCAN ioctl
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

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

/***********************************************************************
 *           protect_moving
 *
 * A page that the kernel is moving looks like one that was swapped out. If it was writable, the
 * protection that a scan gives it is lost when it arrives, and it would be reported again although
 * nothing wrote to it (6.7 to 7.2). The protection of UFFDIO_WRITEPROTECT lasts. A write since the
 * scan is covered by the report of this query. If the ioctl fails, a page may be reported again.
 *
 * Merges runs that were separate only for that reason. Returns how many are left.
 *
 * The quick query does not distinguish such pages: it may report them again.
 */
static UNINTERRUPTED_PART int protect_moving( struct page_run *runs, int count )
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
        if (left && (uintptr_t)runs[left - 1].end == (uintptr_t)runs[i].start)
        {
            runs[left - 1].end = runs[i].end;
            continue;
        }
        if (left != i)
        {
            runs[left].start = runs[i].start;
            runs[left].end   = runs[i].end;
        }
        runs[left++].categories = 0;
    }
    return left;
}

/***********************************************************************
 *           ask_kernel
 *
 * PM_SCAN_CHECK_WPASYNC makes the kernel refuse memory that has lost its registration; otherwise it
 * would skip it silently, which reads as "nothing written". walk_end is right only for vectors of
 * at most 512 entries (seen on 6.12 to 7.2), hence the limit.
 */
UNINTERRUPTED int ask_kernel( enum scan_question question, struct page_scan *scan )
{
    int reset = scan->flags & COLLECT_RESET;
    struct pm_scan_arg arg;
    long ret;

    arg.size                = sizeof(arg);
    arg.flags               = PM_SCAN_CHECK_WPASYNC |
                              (reset ? PM_SCAN_WP_MATCHING : 0);
    arg.start               = scan->start;
    arg.end                 = scan->end;
    arg.walk_end            = 0;
    arg.vec                 = (uintptr_t)scan->runs;
    arg.vec_len             = scan->len < 512 ? scan->len : 512;
    arg.max_pages           = scan->max_pages;
    switch (question)
    {
    case SCAN_EXACT:
        arg.category_inverted   = PAGE_IS_PFNZERO;
        arg.category_mask       = PAGE_IS_WRITTEN | PAGE_IS_PFNZERO;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.return_mask         = reset ? PAGE_IS_SWAPPED : 0;
        break;
    case SCAN_EXACT_MARKED:
        arg.category_inverted   = 0;
        arg.category_mask       = PAGE_IS_WRITTEN;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
        arg.return_mask         = reset ? PAGE_IS_SWAPPED : 0;
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
    ret = take_walk_end( scan, &arg, ret );
    if (ret < 0) return ret;
    return question <= SCAN_EXACT_MARKED && reset ? protect_moving( scan->runs, ret ) : ret;
}

/***********************************************************************
 *           scan_mark_empty
 *
 * Works in pieces, as the kernel holds mmap_lock for each. An entry whose page table exists is read
 * and protected under the lock of that table, so a concurrent write wins: its page is not empty.
 * Where the table is missing the kernel allocates it first and does not look again: such a range
 * must not be accessible, or the write would be lost (6.18).
 */
int scan_mark_empty( uintptr_t start, uintptr_t end )
{
    const size_t piece = (size_t)64 << 20;
    struct page_run runs[32];
    struct page_scan scan = { .flags = COLLECT_RESET, .runs = runs, .len = 32 };
    int count;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        scan.end = end - scan.start < piece ? end : scan.start + piece;
        if ((count = ask_kernel( SCAN_EMPTY, &scan )) < 0) return count;
    }
    return 0;
}

/***********************************************************************
 *           scan_verify
 *
 * Asks for pages that cannot be watched this way: the kernel refuses memory that has any, and need
 * not look at the pages of other memory.
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
