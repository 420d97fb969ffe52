/*
 * What the scan backend asks the kernel: the PAGEMAP_SCAN ioctl
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_ASK_H
#define WRITEWATCH_ASK_H

#include "engine/region.h"
#include "scan/blocks.h"

/* what the backend keeps of a region */
struct scan_data
{
    struct region_blocks blocks;
    int                  all_protected;   /* since its watch began, what was there and what not */
};

REGION_DATA_SIZE_FITS( struct scan_data );

static inline __attribute__((always_inline)) struct scan_data *
scan_data( struct watch_region *region )
{
    return REGION_DATA( struct scan_data, region );
}

extern int scan_uffd;      /* registers memory, never read from; -1: the backend is not open */
extern int scan_pagemap;   /* /proc/self/pagemap, likewise */

/* Opens them, or returns -errno and why; and closes those that are open. */
extern int scan_open_descriptors( char *reason, size_t len );
extern void scan_close(void);
extern int scan_reopen(void);

/* As struct watch_backend has them. The scan backend has two forms, which differ in what they ask
 * about fresh memory:
 *
 * unmarked: nothing is prepared. A page that was only read is the shared page of zeros, and is told
 * from a written one by that.
 *
 * marked: the entries of pages are protected before the program gets access to them, so whatever is
 * not protected was written. This is for kernels where to read an untouched page makes a page of
 * its own, which looks like a written one. */
extern int scan_marked_collect( struct watch_region *region, uintptr_t start, uintptr_t end,
                             unsigned int flags, struct page_run *runs, size_t len,
                             size_t max_pages, uintptr_t *next );
extern int scan_marked_save( struct watch_region *region, uintptr_t start, uintptr_t end );
extern int scan_marked_list( struct watch_region *region, uintptr_t start, uintptr_t end,
                             uint64_t required, struct page_run *runs, size_t len,
                             uintptr_t *next );
extern int scan_collect( struct watch_region *region, uintptr_t start, uintptr_t end,
                      unsigned int flags, struct page_run *runs, size_t len, size_t max_pages,
                      uintptr_t *next );
extern int scan_save( struct watch_region *region, uintptr_t start, uintptr_t end );
extern int scan_verify( struct watch_region *region );
extern int scan_list( struct watch_region *region, uintptr_t start, uintptr_t end,
                      uint64_t required, struct page_run *runs, size_t len, uintptr_t *next );

/* Protects the empty entries of a range, and only those. Returns 0 or -errno. */
extern int scan_mark_empty( uintptr_t start, uintptr_t end );

/* runs of entries that are not empty: pages, also swapped out, and markers; as struct watch_backend
 * has scan() */
extern int scan_find_used( uintptr_t start, uintptr_t end, struct page_run *runs, size_t len,
                           uintptr_t *next );

#endif /* WRITEWATCH_ASK_H */
