/*
 * What the scan backend asks the kernel: the PAGEMAP_SCAN ioctl
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_ASK_H
#define WRITEWATCH_ASK_H

#include <errno.h>

#include "engine/region.h"
#include "scan/blocks.h"
#include "sys/kernel_api.h"

/* what the backend keeps about a region */
struct scan_data
{
    struct region_blocks blocks;
    int                  all_protected;   /* since its watch began, missing pages included */
};

REGION_DATA_SIZE_FITS( struct scan_data );

static inline __attribute__((always_inline)) struct scan_data *
scan_data( struct watch_region *region )
{
    return REGION_DATA( struct scan_data, region );
}

extern int scan_uffd;      /* registers memory, is never read from; -1: the backend is not open */
extern int scan_pagemap;   /* /proc/self/pagemap, likewise */

/* Opens the descriptors, or returns -errno and the reason; closes them; does both, in a child by
 * fork(). */
extern int scan_open_descriptors( char *reason, size_t len );
extern void scan_close(void);
extern int scan_reopen(void);

/* questions to the kernel */
enum scan_question
{
    SCAN_EXACT,         /* see collect_fresh() in collect.c */
    SCAN_EXACT_MARKED,
    SCAN_QUICK,
    SCAN_MISSING,       /* missing pages, and the shared zero page */
    SCAN_EMPTY,         /* entries with neither a page nor a marker */
    SCAN_USED,          /* entries that are not empty */
    SCAN_THERE,         /* the same, and their state */
};

/* PAGEMAP_SCAN; start, end, flags, runs, len and max_pages (0: no limit) as for collect_written().
 * Returns the number of runs, or -errno. Uninterrupted code. */
extern int ask_kernel( enum scan_question question, struct page_scan *scan );

/* Where the walk of a PAGEMAP_SCAN ended, which returned count. It must have advanced or found
 * something, or a caller would ask forever. Returns count, or -errno. */
static inline __attribute__((always_inline)) long
take_walk_end( struct page_scan *scan, const struct pm_scan_arg *arg, long count )
{
    if (count < 0) return count;
    if (arg->walk_end > scan->end || arg->walk_end < scan->start ||
        (arg->walk_end == scan->start && !count)) return -EIO;
    scan->next = arg->walk_end;
    return count;
}

/* Protects the empty entries of a range, and only those. Returns 0 or -errno. */
extern int scan_mark_empty( uintptr_t start, uintptr_t end );

/* See struct watch_backend. The scan backend has two forms, which differ in what they ask about
 * fresh memory:
 *
 * unmarked: nothing is prepared. A page that was only read is the shared zero page, which
 * distinguishes it from a written one.
 *
 * marked: page table entries are protected before the program gets access to them, so whatever is
 * not protected was written. This is for kernels where reading an untouched page allocates a
 * private page, which looks like a written one. */
extern int scan_collect( struct watch_region *region, struct page_scan *scan );
extern int scan_marked_collect( struct watch_region *region, struct page_scan *scan );
extern int scan_save( struct watch_region *region, uintptr_t start, uintptr_t end );
extern int scan_marked_save( struct watch_region *region, uintptr_t start, uintptr_t end );
extern int scan_list( struct watch_region *region, struct page_scan *scan );
extern int scan_marked_list( struct watch_region *region, struct page_scan *scan );
extern int scan_look( struct watch_region *region, struct page_scan *scan );
extern int scan_marked_look( struct watch_region *region, struct page_scan *scan );
extern int scan_verify( struct watch_region *region );

#endif /* WRITEWATCH_ASK_H */
