/*
 * What the kernel says of another process's pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OTHER_PAGES_H
#define WRITEWATCH_OTHER_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "sys/kernel_api.h"

/* Needs nothing else of the library, as writewatch-top is linked with this file alone. All
 * functions return 0 or -errno unless they say otherwise, and change nothing in the process. */

#define OTHER_RUNS      341   /* as much as the kernel buffers in two pages */
#define OTHER_PATH_SIZE 64

struct other_pages
{
    int                pagemap;
    uint64_t           start, end;   /* what is left of the range that is scanned */
    unsigned int       count;        /* of runs */
    struct page_region runs[OTHER_RUNS];
    uint64_t           scanned;      /* where these runs end */
};

/* Opens the pagemap of a process that has memory, and asks it for nothing. path is set to the
 * directory of /proc in which the memory is seen. -EACCES and -EPERM: the process may not be looked
 * at; -ENOENT, -ESRCH: it does not exist, or has no memory any more. */
extern int other_pages_open( struct other_pages *pages, uint32_t pid, char path[OTHER_PATH_SIZE] );

/* Whether the process still has the memory that it had when the pagemap was opened: one that ends
 * or executes another program loses it, and then all pages look untouched. So what a scan has found
 * counts only if there was memory afterwards. */
extern int other_pages_exist( const struct other_pages *pages );

/* whether the kernel has PAGEMAP_SCAN: 0, or -ENOTTY and other errors */
extern int other_pages_can_scan( const struct other_pages *pages );

/* Asks for the pages from pages->start on that have one of some categories (any; 0: all that are
 * mapped), in one call of the kernel, and moves it on. */
extern int other_pages_scan( struct other_pages *pages, uint64_t any, uint64_t returned );

/* Reads the entries of count pages from pages->pagemap, of the process's addresses. Returns how
 * many were read; 0 if there is no memory. */
extern long other_pages_read( const struct other_pages *pages, uint64_t page, size_t count,
                              uint64_t *entries );

#endif /* WRITEWATCH_OTHER_PAGES_H */
